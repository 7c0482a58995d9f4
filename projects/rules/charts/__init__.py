"""The charts of sprints and projects as numbers and words; drawing is for `projects.charts`."""

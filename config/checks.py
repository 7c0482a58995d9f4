"""System checks that refuse a wrong or incomplete configuration."""

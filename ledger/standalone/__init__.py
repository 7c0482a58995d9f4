"""The verifier that travels inside every export; it imports nothing of ours."""

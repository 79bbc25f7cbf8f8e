"""What the store holds, as rows for people and scripts: largest and longest unused first."""

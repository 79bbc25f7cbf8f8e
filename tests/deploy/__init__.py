"""What `deploy/` holds, judged by the tools that read it."""

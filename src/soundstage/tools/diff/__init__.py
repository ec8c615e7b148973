"""What has changed between two versions of a contract, and what that breaks."""

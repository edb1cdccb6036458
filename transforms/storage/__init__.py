"""Object stores behind one small interface: local files and S3."""

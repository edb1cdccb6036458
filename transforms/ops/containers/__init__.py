"""The accepted file formats: their structure, walked without decoding a pixel."""

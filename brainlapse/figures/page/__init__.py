"""The pages that a person reads: the report and the review of scans."""

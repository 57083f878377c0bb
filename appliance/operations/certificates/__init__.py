"""Certificates: self-signed, the operator's own, or an ACME server's."""

//! The provisioning engine: a SCIM client with retries, and the cycles that push people into an application.

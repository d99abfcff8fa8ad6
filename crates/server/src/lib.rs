//! The surfaces: SCIM, admin API, health; configuration, HTTP and authentication.

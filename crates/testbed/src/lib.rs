//! What tests share: a test clock, a server on a free port, actors.

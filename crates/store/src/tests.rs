//! The list of checks every driver passes, through the public face alone.

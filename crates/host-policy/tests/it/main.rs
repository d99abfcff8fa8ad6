//! The document as hosts receive it: what is believed, and what is followed of it.

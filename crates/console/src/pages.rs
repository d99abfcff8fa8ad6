//! The pages, one file for each entry of the navigation.
//!
//! # How a page is added
//!
//! [`users::List`] is the example to look at; it has everything that a list needs.
//!
//! 1. A struct in the file of its section derives `askama::Template` and has a field `shell: Shell` (or `plain: Plain` before
//!    sign-in) and what is to be seen: plain data and [`parts`](crate::parts). It gets no more than it shows, and says with a
//!    `bool` or an `Option` whether the person may do something; a button that would be refused is not there.
//! 2. Its template, `templates/<section>/<page>.html`, extends `shell.html` (or `plain.html`) and fills in the block `main`,
//!    and where needed `actions` (buttons beside the title), `badges` (beside the title) and `lead` (a line under it). The frame
//!    writes the heading `h1`, so sections of a page begin with `h2`.
//! 3. `impl Page` says title, entry of the navigation and the pages above.
//! 4. A sample in `tests/samples/<section>.rs` puts it under the checks of every page and into the gallery
//!    (`cargo run -p portreeve-console --example gallery -- DIR`).
//!
//! In templates:
//!
//! - `{{ }}` escapes everything but parts; `|safe` is not used. Names of people and things stand in `<bdi>`, because they may
//!   be written from right to left.
//! - No `style` attributes, no script in the page, no `on…` attributes: the server's policy forbids them. Classes are those of
//!   `assets/css/parts.css`; what only one page needs is in `assets/css/pages.css`.
//! - Every action is a `<form method="post">` ([`PostButton`](crate::parts::PostButton), [`Confirm`](crate::parts::Confirm)), every view a link
//!   ([`Address`](crate::Address)); scripts only make that smoother.
//! - Tables: `<div class="table-wrap"><table class="list">` with a caption, [`Column`](crate::parts::Column)s as head, `data-label` on every cell (its label where
//!   the table becomes cards), the first cell `<th scope="row">`. `data-href` on a row makes the whole row lead there.
//!
//! What scripts look for:
//!
//! | attribute | on | what happens |
//! |---|---|---|
//! | `data-live="User Group"` | an element with an id | when the feed tells of a change of that kind, the page is asked for again and the element updated in place; `data-live="*"` for every change |
//! | `data-search` | a form with GET | results come while one types, into the element with the id `results` |
//! | `data-preview="id"` | a form | while one writes, the form's address is asked for with what is written so far, and the element of that id taken over; what the same form's button with `formmethod="get"` shows |
//! | `data-countdown` | a `<time>` | how long it is until then, to the second |
//! | `data-copy="…"` | a button | copies the value and says so |
//! | `data-dialog="id"` | a link to `#id` | opens the dialog; without script the address does |
//! | `data-href` | a row | a click anywhere in it leads there |
//! | `data-print` | a button | prints the page; it is hidden without a script |
//! | `data-passkey="register"` or `"sign-in"` | a button | the browser's passkey dialog, then `/auth/passkey/verify` |
//!
//! They ask the server for two things besides pages: `/console/live`, the change feed as server-sent events, of which `kind` and
//! `category` are looked at; and `/console/palette?q=…`, what Ctrl-K finds, as JSON: a list of
//! `{"label", "detail", "href", "kind"}`, the best first.

pub mod access;
pub mod certificates;
pub mod cli;
pub mod directories;
pub mod groups;
pub mod hosts;
pub mod logs;
pub mod me;
pub mod message;
pub mod new;
pub mod overview;
pub mod settings;
pub mod sign_in;
pub mod users;
pub mod visitors;

//! What pages are made of.
//!
//! Each part is a type with a template of its own. In a page's template `{{ part }}` puts it in; because the type says that
//! it is markup already, it is not escaped again, while what is in it was.

mod access;
mod action;
mod badge;
mod chart;
mod facts;
mod field;
mod icon;
mod list;
mod message;
mod session;
mod value;

pub use access::{
    Certificate, Certificates, Chain, ChainStep, Countdown, Reached, ReachedHosts, Tags,
};
pub use action::{Confirm, Menu, MenuItem, PostButton};
pub use badge::{Badge, Level, Source, Status, Tone};
pub use chart::{Bar, Chart, Series};
pub use facts::{Fact, Facts, Shown};
pub use field::{Choice, Field, Form};
pub use icon::Icon;
pub use list::{Column, Filter, FilterChoice, Pager, Search, Sort, Tab, Tabs, Toolbar};
pub use message::{Alert, Empty, Link, Step, StepState, Steps};
pub use session::{Session, Sessions};
pub use value::{Code, Copyable, Count, Secret, Sentence, Time};

/// Says that types write markup with everything foreign in it escaped.
macro_rules! markup {
    ($($part:ty),* $(,)?) => { $(impl askama::filters::HtmlSafe for $part {})* };
}
pub(crate) use markup;

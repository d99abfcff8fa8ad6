//! Lists: what is looked for, how it is ordered, where one is in it.

use askama::Template;

use super::{Count, Icon, markup};
use crate::Address;

/// The head of a column of a table.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/column.html")]
pub struct Column {
    /// What is in it. An empty one is for buttons, and read as "Actions".
    pub label: &'static str,
    /// Whether numbers are in it, which stand at the right.
    pub numeric: bool,
    /// How to order by it, where that is possible.
    pub sort: Option<Sort>,
}

/// How a list is ordered by a column.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The list in that order, or in the opposite one where it is in that order now.
    pub href: Address,
    /// The order now: ascending, descending, or another column's.
    pub ascending: Option<bool>,
}

impl Column {
    /// A column that orders nothing.
    pub fn new(label: &'static str) -> Self {
        Self {
            label,
            numeric: false,
            sort: None,
        }
    }

    /// With numbers in it.
    #[must_use]
    pub fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }

    /// By which the list can be ordered. The address is that of the page as it is now; its parameter `sort` has a column's
    /// `key`, after a minus where the order is descending.
    #[must_use]
    pub fn sorted(mut self, address: &Address, key: &str) -> Self {
        let now = address.get("sort");
        let ascending = match now.strip_prefix('-') {
            Some(descending) if descending == key => Some(false),
            None if now == key => Some(true),
            _ => None,
        };
        let next = match ascending {
            Some(true) => format!("-{key}"),
            _ => key.to_owned(),
        };
        let href = address.clone().without("cursor").with("sort", next);
        self.sort = Some(Sort { href, ascending });
        self
    }
}

/// A field for what is looked for. With a script the results come while one types: the page has them in an element with
/// the id `results`.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/search.html")]
pub struct Search {
    /// The page as it is now; the parameter `q` is what is looked for.
    pub address: Address,
    /// What can be found: "Name, user name or e-mail".
    pub label: &'static str,
}

/// A choice that narrows a list down.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/filter.html")]
pub struct Filter {
    /// What is chosen: "Status".
    pub label: &'static str,
    /// What can be chosen.
    pub choices: Vec<FilterChoice>,
}

/// One of the choices of a [`Filter`].
#[derive(Clone, Debug)]
pub struct FilterChoice {
    /// What it is.
    pub label: String,
    /// The list with it, or without it where it is chosen.
    pub href: Address,
    /// Whether the list shows only these now.
    pub chosen: bool,
}

impl Filter {
    /// Values of one parameter of the page's address, one at a time: each with its label.
    pub fn new(
        label: &'static str,
        address: &Address,
        name: &'static str,
        values: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let start = address.clone().without("cursor");
        let choice = |(value, label): (String, String)| {
            let chosen = address.get(name) == value;
            let href = match chosen {
                true => start.clone().without(name),
                false => start.clone().with(name, value),
            };
            FilterChoice {
                label,
                href,
                chosen,
            }
        };
        Self {
            label,
            choices: values.into_iter().map(choice).collect(),
        }
    }
}

/// What stands over a list: what is looked for, and what narrows it down.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/toolbar.html")]
pub struct Toolbar {
    /// What is looked for.
    pub search: Search,
    /// What narrows the list down.
    pub filters: Vec<Filter>,
    /// The list without any of that, where there is any.
    pub clear: Option<Address>,
}

/// The way to the older and newer entries of a list.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "parts/pager.html")]
pub struct Pager {
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// How many are shown.
    pub shown: usize,
    /// What one of them is called, and several: `("user", "users")`.
    pub noun: (&'static str, &'static str),
    /// The entries before these.
    pub previous: Option<Address>,
    /// The entries after these.
    pub next: Option<Address>,
}

impl Pager {
    fn summary(&self) -> String {
        let noun = |count: u64| match count {
            1 => self.noun.0,
            _ => self.noun.1,
        };
        let shown = u64::try_from(self.shown).unwrap_or(u64::MAX);
        match self.total {
            Some(total) if total != shown => {
                format!("{} of {} {}", Count(shown), Count(total), noun(total))
            }
            _ => format!("{} {}", Count(shown), noun(shown)),
        }
    }
}

/// Views of one thing, each a page of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/tabs.html")]
pub struct Tabs {
    /// What they are views of, for screen readers.
    pub label: String,
    /// The views.
    pub tabs: Vec<Tab>,
}

/// One of [`Tabs`].
#[derive(Clone, Debug)]
pub struct Tab {
    /// Its name.
    pub label: &'static str,
    /// Its page.
    pub href: Address,
    /// Whether it is shown now.
    pub current: bool,
    /// How many things are on it, where that matters.
    pub count: Option<Count>,
}

markup!(Column, Search, Filter, Toolbar, Pager, Tabs);

//! Answers in pages: cut when a query begins, ordered as the test likes, and told by links that nobody may change.

use super::directory::{Class, View};
use super::reply::{Fault, Reply};
use super::server::{Issued, State};
use serde_json::{Value, json};

/// How answers are cut and ordered.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Objects on a page of a delta query; at least one.
    pub page_size: usize,
    /// Objects on a page of any other list, if nobody asks for fewer; at least one.
    pub list_size: usize,
    /// Members of a group that one entry tells; the others come in later entries for the same group. At least one.
    pub members_per_entry: usize,
    /// Whether pages without any object come in between.
    pub empty_pages: bool,
    /// Whether every object of a delta query comes twice.
    pub repeats: bool,
    /// Another number is another order of the objects of a delta query.
    pub order: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            page_size: 100,
            list_size: 100,
            members_per_entry: 100,
            empty_pages: false,
            repeats: false,
            order: 0,
        }
    }
}

/// A delta query that has begun: what it asks for, and from which change on.
#[derive(Debug, Clone)]
pub(super) struct Delta {
    pub(super) class: Class,
    pub(super) select: Vec<String>,
    pub(super) since: Option<u64>,
}

/// How long Graph remembers what a link stands for, in seconds.
const KEPT: u64 = 7 * 24 * 60 * 60;

impl State {
    /// Begins a delta query, or goes on from a delta link.
    pub(super) fn delta(&mut self, delta: Delta, minimal: bool) -> Reply {
        let view = View {
            since: delta.since,
            select: delta.select.clone(),
            minimal,
        };
        let mut items = Vec::new();
        for item in self.directory.delta(delta.class, &view) {
            items.extend(spread(item, self.manner.members_per_entry.max(1)));
        }
        if self.manner.repeats {
            items.extend(items.clone());
        }
        shuffle(&mut items, self.manner.order);
        let path = format!("/v1.0/{}/delta", delta.class.collection());
        let end = Delta {
            since: Some(self.directory.latest()),
            ..delta
        };
        let size = self.manner.page_size;
        self.pages(&path, &items, size, Some(&end), None)
    }

    /// Cuts a list into pages and answers with the first.
    pub(super) fn list(
        &mut self,
        path: &str,
        items: &[Value],
        top: Option<usize>,
        count: Option<usize>,
    ) -> Reply {
        let size = top.unwrap_or(usize::MAX).min(self.manner.list_size);
        self.pages(path, items, size, None, count)
    }

    /// Answers what a link of an earlier page asks for; `None` for an address that is no such link.
    pub(super) fn linked(&mut self, target: &str, prefer: &str) -> Option<Reply> {
        let is_delta = target.contains("$deltatoken=");
        if !is_delta && !target.contains("$skiptoken=") {
            return None;
        }
        let issued = self.issued.get(target).cloned();
        let now = self.now();
        let fresh = issued.filter(|(_, given)| now.saturating_sub(*given) <= KEPT);
        Some(match fresh {
            Some((Issued::Page(body), _)) => {
                if !prefer.is_empty() {
                    self.object(format!("{target}: Prefer is {prefer}"));
                }
                page(body)
            }
            Some((Issued::Delta(delta), _)) => {
                if !matches!(prefer, "" | "return=minimal") {
                    self.object(format!("{target}: Prefer is {prefer}"));
                }
                self.delta(delta, prefer == "return=minimal")
            }
            None => {
                if self.is_first(target.to_owned()) {
                    self.object(format!("{target} is no link that was given"));
                }
                if is_delta {
                    Fault::Lost
                        .reply(self.base())
                        .unwrap_or_else(|| page(String::new()))
                } else {
                    Reply::error(
                        400,
                        "Directory_ExpiredPageToken",
                        "The specified page token value has expired.",
                    )
                }
            }
        })
    }

    fn pages(
        &mut self,
        path: &str,
        items: &[Value],
        size: usize,
        end: Option<&Delta>,
        count: Option<usize>,
    ) -> Reply {
        self.cursors += 1;
        let cursor = self.cursors;
        let mut cuts: Vec<Vec<Value>> = items.chunks(size.max(1)).map(<[Value]>::to_vec).collect();
        if self.manner.empty_pages && end.is_some() {
            cuts = cuts.into_iter().flat_map(|cut| [Vec::new(), cut]).collect();
        }
        if cuts.is_empty() {
            cuts.push(Vec::new());
        }
        let last = cuts.len() - 1;
        let mut first = String::new();
        for (number, cut) in cuts.into_iter().enumerate() {
            let mut body = json!({"@odata.context": format!("{}/v1.0/$metadata", self.base())});
            if number < last {
                let link = format!("{path}?$skiptoken=p{cursor}-{}", number + 1);
                body["@odata.nextLink"] = format!("{}{link}", self.base()).into();
            } else if let Some(end) = end {
                let link = format!("{path}?$deltatoken=d{cursor}");
                body["@odata.deltaLink"] = format!("{}{link}", self.base()).into();
                self.issue(link, Issued::Delta(end.clone()));
            }
            if let Some(count) = count {
                body["@odata.count"] = count.into();
            }
            body["value"] = cut.into();
            if number == 0 {
                first = body.to_string();
            } else {
                let link = format!("{path}?$skiptoken=p{cursor}-{number}");
                self.issue(link, Issued::Page(body.to_string()));
            }
        }
        page(first)
    }

    fn issue(&mut self, link: String, issued: Issued) {
        let now = self.now();
        // A link that is forgotten later was given all the same.
        self.is_first(link.clone());
        self.issued.insert(link, (issued, now));
    }
}

fn page(body: String) -> Reply {
    Reply {
        body,
        ..Reply::json(200, &Value::Null)
    }
    .header("x-ms-resource-unit", "1")
}

/// One entry for the object with its first members, and further ones with nothing but members.
fn spread(mut item: Value, members: usize) -> Vec<Value> {
    let Some(Value::Array(told)) = item.get_mut("members@delta") else {
        return vec![item];
    };
    let mut told = std::mem::take(told).into_iter();
    let id = item["id"].clone();
    item["members@delta"] = told.by_ref().take(members).collect();
    let mut items = vec![item];
    loop {
        let more: Vec<Value> = told.by_ref().take(members).collect();
        if more.is_empty() {
            return items;
        }
        items.push(json!({"id": id, "members@delta": more}));
    }
}

/// An order that is another one for each number (a linear congruential generator is chance enough for that).
fn shuffle(items: &mut [Value], order: u64) {
    let mut state = order;
    for place in (1..items.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = (state >> 33) as usize % (place + 1);
        if order != 0 {
            items.swap(place, other);
        }
    }
}

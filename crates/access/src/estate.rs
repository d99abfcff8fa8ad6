//! All hosts of a team, found by expression without looking at each.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::decision::Host;
use crate::expression::{Expression, Node};
use crate::tags::NAME;

const BITS: usize = u64::BITS as usize;

/// Hosts with an index of their tags: for each tag the hosts that have it. What an expression chooses is then a few
/// operations on sets of one bit a host, whatever the number of its hosts.
#[derive(Debug, Clone, Default)]
pub struct Estate {
    hosts: Vec<Host>,
    tags: HashMap<String, Tagged>,
}

/// The hosts that have a tag of one key.
#[derive(Debug, Clone)]
struct Tagged {
    all: Having,
    by_value: HashMap<String, Having>,
}

/// The hosts that have a tag, in whichever form is smaller: a set takes a word for every 64 hosts of the estate, so that
/// sets for names, which each host has for itself, would grow with the square of their number.
#[derive(Debug, Clone)]
enum Having {
    /// By place.
    Few(Vec<usize>),
    Many(Set),
}

/// A set of hosts of one estate, by their places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set(Vec<u64>);

impl Estate {
    /// Hosts in an order of the caller's choice, which results keep.
    pub fn new(hosts: Vec<Host>) -> Self {
        let mut places: HashMap<&str, HashMap<&str, Vec<usize>>> = HashMap::new();
        for (place, host) in hosts.iter().enumerate() {
            let name = std::iter::once((NAME, host.name.as_str()));
            for (key, value) in name.chain(host.tags.iter()) {
                let values = places.entry(key).or_default();
                values.entry(value).or_default().push(place);
            }
        }
        let having = |places| Having::of(places, hosts.len());
        let tagged = |by_value: HashMap<&str, Vec<usize>>| Tagged {
            all: having(by_value.values().flatten().copied().collect()),
            by_value: by_value
                .into_iter()
                .map(|(value, places)| (value.to_owned(), having(places)))
                .collect(),
        };
        let tags = places
            .into_iter()
            .map(|(key, by_value)| (key.to_owned(), tagged(by_value)))
            .collect();
        Self { hosts, tags }
    }

    /// All hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The hosts that an expression chooses.
    pub fn chosen(&self, expression: &Expression) -> impl Iterator<Item = &Host> {
        self.pick(self.set(expression))
    }

    /// The hosts that any of some expressions chooses, each once.
    pub fn chosen_by_any<'e>(
        &self,
        expressions: impl IntoIterator<Item = &'e Expression>,
    ) -> impl Iterator<Item = &Host> {
        let mut all = self.none();
        for expression in expressions {
            all.unite(&self.set(expression));
        }
        self.pick(all)
    }

    /// No host.
    pub(crate) fn none(&self) -> Set {
        Set::none(self.hosts.len())
    }

    /// The hosts that an expression chooses.
    pub(crate) fn set(&self, expression: &Expression) -> Set {
        self.chosen_at(&expression.0).into_owned()
    }

    /// The hosts of a set.
    pub(crate) fn pick(&self, set: Set) -> impl Iterator<Item = &Host> {
        places(set.0.into_iter()).filter_map(|place| self.hosts.get(place))
    }

    fn chosen_at(&self, node: &Node) -> Cow<'_, Set> {
        match node {
            Node::All => Cow::Owned(self.full()),
            Node::Has(key) => self.having(self.tags.get(key).map(|tagged| &tagged.all)),
            Node::Is(key, value) => {
                let tagged = self.tags.get(key);
                self.having(tagged.and_then(|tagged| tagged.by_value.get(value)))
            }
            Node::Not(part) => {
                let mut set = self.full();
                set.subtract(&self.chosen_at(part));
                Cow::Owned(set)
            }
            Node::And(parts) => self.joined(parts, Set::intersect, Self::full),
            Node::Or(parts) => self.joined(parts, Set::unite, Self::none),
        }
    }

    /// What parts choose together; `empty` is what none of them does.
    fn joined(
        &self,
        parts: &[Node],
        join: fn(&mut Set, &Set),
        empty: fn(&Self) -> Set,
    ) -> Cow<'_, Set> {
        let mut parts = parts.iter().map(|part| self.chosen_at(part));
        let mut set = parts.next().map_or_else(|| empty(self), Cow::into_owned);
        parts.for_each(|part| join(&mut set, &part));
        Cow::Owned(set)
    }

    fn having<'e>(&self, having: Option<&'e Having>) -> Cow<'e, Set> {
        match having {
            Some(Having::Many(set)) => Cow::Borrowed(set),
            Some(Having::Few(places)) => Cow::Owned(Set::of(places, self.hosts.len())),
            None => Cow::Owned(self.none()),
        }
    }

    fn full(&self) -> Set {
        let mut set = Set(vec![u64::MAX; words(self.hosts.len())]);
        let beyond = set.0.len() * BITS - self.hosts.len();
        if let Some(last) = set.0.last_mut() {
            *last >>= beyond;
        }
        set
    }
}

impl Having {
    /// The hosts at some places among so many.
    fn of(places: Vec<usize>, hosts: usize) -> Self {
        match places.len() < words(hosts) {
            true => Self::Few(places),
            false => Self::Many(Set::of(&places, hosts)),
        }
    }
}

impl Set {
    /// None of so many hosts.
    fn none(hosts: usize) -> Self {
        Self(vec![0; words(hosts)])
    }

    /// The hosts at some places among so many.
    fn of(places: &[usize], hosts: usize) -> Self {
        let mut set = Self::none(hosts);
        for place in places {
            if let Some(word) = set.0.get_mut(place / BITS) {
                *word |= 1 << (place % BITS);
            }
        }
        set
    }

    /// Whether the host at a place is in it.
    pub(crate) fn contains(&self, place: usize) -> bool {
        let word = self.0.get(place / BITS);
        word.is_some_and(|word| word >> (place % BITS) & 1 == 1)
    }

    /// The places of its hosts, rising.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        places(self.0.iter().copied())
    }

    /// How many hosts are in it.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    /// Whether a host is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, two)| one & two != 0)
    }

    /// Adds the hosts of another one.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, with)| *word |= with);
    }

    /// Keeps the hosts that are in another one.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, with)| *word &= with);
    }

    /// Takes the hosts of another one away.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, with)| *word &= !with);
    }
}

/// How many words a set of so many hosts takes.
fn words(hosts: usize) -> usize {
    hosts.div_ceil(BITS)
}

fn places(words: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    words.enumerate().flat_map(|(at, bits)| {
        let first = Some(bits).filter(|bits| *bits != 0);
        let next = |bits: &u64| Some(bits & (bits - 1)).filter(|rest| *rest != 0);
        std::iter::successors(first, next)
            .map(move |bits| at * BITS + bits.trailing_zeros() as usize)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expression::tests::expression;
    use crate::tags::Tags;

    fn hosts(tags: Vec<Vec<(String, String)>>) -> Vec<Host> {
        let host = |(n, tags): (usize, Vec<(String, String)>)| {
            let mut host = Host {
                id: n.to_string(),
                name: format!("h{n}"),
                tags: Tags::default(),
            };
            for (key, value) in tags {
                // A key that comes twice keeps its first value.
                let _ = host.tags.add(&key, &value);
            }
            host
        };
        tags.into_iter().enumerate().map(host).collect()
    }

    proptest! {
        #[test]
        fn the_index_chooses_what_looking_at_each_host_does(
            tags in prop::collection::vec(prop::collection::vec(("[abc]", "[xyz]"), 0..4), 0..200),
            expression in expression(),
        ) {
            let estate = Estate::new(hosts(tags));
            let found: Vec<&str> = estate.chosen(&expression).map(|host| host.id.as_str()).collect();
            let looked = estate.hosts().iter().filter(|host| expression.contains(host));
            let looked: Vec<&str> = looked.map(|host| host.id.as_str()).collect();
            prop_assert_eq!(found, looked);
        }

        #[test]
        fn several_expressions_choose_what_either_does(
            tags in prop::collection::vec(prop::collection::vec(("[abc]", "[xyz]"), 0..4), 0..100),
            expressions in prop::collection::vec(expression(), 0..4),
        ) {
            let estate = Estate::new(hosts(tags));
            let found = estate.chosen_by_any(&expressions).count();
            let any = |host: &&Host| expressions.iter().any(|expression| expression.contains(host));
            prop_assert_eq!(found, estate.hosts().iter().filter(any).count());
        }
    }
}

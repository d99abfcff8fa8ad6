//! All hosts of a team, found by expression without looking at each.

use std::collections::HashMap;

use crate::decision::Host;
use crate::expression::{Expression, Node};
use crate::tags::NAME;

const BITS: usize = u64::BITS as usize;

/// Hosts with an index of their tags: for each tag the set of hosts that have it, one bit a host. What an expression
/// chooses is then a few operations on sets, whatever the number of its hosts.
#[derive(Debug, Clone, Default)]
pub struct Estate {
    hosts: Vec<Host>,
    with_key: HashMap<String, Set>,
    with_value: HashMap<String, HashMap<String, Set>>,
}

/// A set of hosts of one estate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set(Vec<u64>);

impl Estate {
    /// Hosts in an order of the caller's choice, which results keep.
    pub fn new(hosts: Vec<Host>) -> Self {
        let words = hosts.len().div_ceil(BITS);
        let mut with_key: HashMap<String, Set> = HashMap::new();
        let mut with_value: HashMap<String, HashMap<String, Set>> = HashMap::new();
        for (place, host) in hosts.iter().enumerate() {
            let name = std::iter::once((NAME, host.name.as_str()));
            for (key, value) in name.chain(host.tags.iter()) {
                with_key
                    .entry(key.to_owned())
                    .or_insert_with(|| Set::empty(words))
                    .add(place);
                let values = with_value.entry(key.to_owned()).or_default();
                values
                    .entry(value.to_owned())
                    .or_insert_with(|| Set::empty(words))
                    .add(place);
            }
        }
        Self {
            hosts,
            with_key,
            with_value,
        }
    }

    /// All hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The hosts that an expression chooses.
    pub fn chosen(&self, expression: &Expression) -> impl Iterator<Item = &Host> {
        self.pick(self.set(&expression.0))
    }

    /// The hosts that any of some expressions chooses, each once.
    pub fn chosen_by_any<'e>(
        &self,
        expressions: impl IntoIterator<Item = &'e Expression>,
    ) -> impl Iterator<Item = &Host> {
        let mut all = Set::empty(self.words());
        for expression in expressions {
            all.unite(&self.set(&expression.0));
        }
        self.pick(all)
    }

    fn pick(&self, set: Set) -> impl Iterator<Item = &Host> {
        let places = set.0.into_iter().enumerate().flat_map(|(word, bits)| {
            let there = move |bit: &usize| bits >> bit & 1 == 1;
            (0..BITS).filter(there).map(move |bit| word * BITS + bit)
        });
        places.filter_map(|place| self.hosts.get(place))
    }

    fn set(&self, node: &Node) -> Set {
        match node {
            Node::All => self.full(),
            Node::Has(key) => self.or_empty(self.with_key.get(key)),
            Node::Is(key, value) => self.or_empty(
                self.with_value
                    .get(key)
                    .and_then(|values| values.get(value)),
            ),
            Node::Not(part) => {
                let mut set = self.full();
                set.subtract(&self.set(part));
                set
            }
            Node::And(parts) => {
                let mut set = self.full();
                parts.iter().for_each(|part| set.intersect(&self.set(part)));
                set
            }
            Node::Or(parts) => {
                let mut set = Set::empty(self.words());
                parts.iter().for_each(|part| set.unite(&self.set(part)));
                set
            }
        }
    }

    fn or_empty(&self, set: Option<&Set>) -> Set {
        set.cloned().unwrap_or_else(|| Set::empty(self.words()))
    }

    fn full(&self) -> Set {
        let mut set = Set(vec![u64::MAX; self.words()]);
        let beyond = self.words() * BITS - self.hosts.len();
        if let Some(last) = set.0.last_mut() {
            *last >>= beyond;
        }
        set
    }

    fn words(&self) -> usize {
        self.hosts.len().div_ceil(BITS)
    }
}

impl Set {
    fn empty(words: usize) -> Self {
        Self(vec![0; words])
    }

    fn add(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / BITS) {
            *word |= 1 << (place % BITS);
        }
    }

    fn unite(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, with)| *word |= with);
    }

    fn intersect(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, with)| *word &= with);
    }

    fn subtract(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(word, with)| *word &= !with);
    }
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

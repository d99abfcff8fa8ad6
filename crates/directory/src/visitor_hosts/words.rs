//! The words that visitors find people by, as they are typed on any keyboard: without case and without marks on letters.

use portreeve_scim::Resource;
use portreeve_scim::schema::ENTERPRISE;
use portreeve_scim::text::fold;
use serde_json::Value;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most characters of a word that count.
const LONGEST: usize = 40;
/// The most words of a person, and of a question.
const MOST: usize = 20;

/// The words of a text, each once.
pub(crate) fn of(text: &str) -> BTreeSet<String> {
    let plain: String = fold(text)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(|c| {
            spelled(c)
                .chars()
                .chain(spelled(c).is_empty().then_some(c))
                .collect::<Vec<_>>()
        })
        .collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LONGEST).collect())
        .take(MOST)
        .collect()
}

/// The words of a user: their names, what they are called, and where they work.
pub(super) fn of_user(user: &Resource, nicknames: &str) -> BTreeSet<String> {
    let texts = names(user)
        .into_iter()
        .chain([department(user), Some(nicknames)]);
    texts.flatten().flat_map(of).take(MOST).collect()
}

/// Whether somebody is found by a text for no other reason than that they work where it says.
pub fn is_of_department(user: &Resource, text: &str) -> bool {
    let names: BTreeSet<String> = names(user).into_iter().flatten().flat_map(of).collect();
    let department = department(user).map(of).unwrap_or_default();
    let begins =
        |words: &BTreeSet<String>, sought: &str| words.iter().any(|word| word.starts_with(sought));
    of(text)
        .iter()
        .any(|sought| begins(&department, sought) && !begins(&names, sought))
}

fn names(user: &Resource) -> [Option<&str>; 5] {
    let name = user.as_map().get("name").and_then(Value::as_object);
    let part = |part: &str| name.and_then(|name| name.get(part)).and_then(Value::as_str);
    [
        user.display_name(),
        part("givenName"),
        part("middleName"),
        part("familyName"),
        user.str("nickName"),
    ]
}

fn department(user: &Resource) -> Option<&str> {
    let enterprise = user.as_map().get(ENTERPRISE).and_then(Value::as_object)?;
    enterprise.get("department").and_then(Value::as_str)
}

/// How letters are spelled that are no other letter with a mark; empty for all others.
fn spelled(c: char) -> &'static str {
    match c {
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        'ŋ' => "n",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn words_are_what_anybody_can_type() {
        for (name, text, words) in [
            ("plain", "Ada King", vec!["ada", "king"]),
            (
                "marks",
                "Jürgen Núñez Dvořák",
                vec!["dvorak", "jurgen", "nunez"],
            ),
            ("decomposed", "Zoe\u{308} O\u{301}", vec!["o", "zoe"]),
            (
                "no mark but another letter",
                "Øyvind Łukasz Æsa Straße",
                vec!["aesa", "lukasz", "oyvind", "strasse"],
            ),
            (
                "joined",
                "Anne-Marie O'Neil, R&D",
                vec!["anne", "d", "marie", "neil", "o", "r"],
            ),
            (
                "another script",
                "Ирина Ёлкина 山田",
                vec!["елкина", "ирина", "山田"],
            ),
            ("wide", "Ａｄａ", vec!["ada"]),
            ("twice", "Ada ada ADA", vec!["ada"]),
            ("nothing", " .,- ", vec![]),
        ] {
            assert_eq!(of(text).into_iter().collect::<Vec<_>>(), words, "{name}");
        }
    }
}

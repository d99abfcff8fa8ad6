//! The texts of the reception, one file for each language.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use portreeve_directory::visit_locations::Language;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The files as they are, which the page's script has in it.
pub(super) const FILES: [(Language, &str); 4] = [
    (Language::En, include_str!("messages/en.json")),
    (Language::De, include_str!("messages/de.json")),
    (Language::Fr, include_str!("messages/fr.json")),
    (Language::Es, include_str!("messages/es.json")),
];

/// The texts of one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts {
    language: Language,
    by_key: &'static BTreeMap<String, String>,
}

static ALL: LazyLock<Vec<(Language, BTreeMap<String, String>)>> = LazyLock::new(|| {
    let read = |text| serde_json::from_str(text).unwrap_or_default();
    FILES.map(|(language, text)| (language, read(text))).into()
});

static NONE: BTreeMap<String, String> = BTreeMap::new();

impl Texts {
    /// Those of a language.
    pub(super) fn of(language: Language) -> Self {
        let found = ALL.iter().find(|(of, _)| *of == language);
        Self {
            language,
            by_key: found.map_or(&NONE, |(_, texts)| texts),
        }
    }

    /// Those of the language that a browser likes best of ours (RFC 9110 section 12.5.4); English, where it likes none.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let list = headers.get(ACCEPT_LANGUAGE);
        let list = list
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut best = (0.0, Language::En);
        for range in list.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("0");
            let weight: f32 = weight.parse().unwrap_or_default();
            let code = tag.trim().split('-').next().unwrap_or_default();
            let known = Language::ALL
                .into_iter()
                .find(|known| known.code().eq_ignore_ascii_case(code));
            if let Some(language) = known.filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        Self::of(best.1)
    }

    /// The language's code.
    pub(super) fn code(self) -> &'static str {
        self.language.code()
    }

    /// A text, with values in place of the names in braces.
    pub(super) fn say(self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.by_key.get(key).map_or(key, String::as_str);
        values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The names in braces of a text.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts.filter_map(|part| part.split('}').next()).collect()
    }

    #[test]
    fn all_languages_say_the_same_things() {
        let english = Texts::of(Language::En).by_key;
        assert!(english.len() > 50, "{}", english.len());
        for language in Language::ALL {
            let texts = Texts::of(language).by_key;
            let code = language.code();
            let keys = |texts: &'static BTreeMap<String, String>| texts.keys().collect::<Vec<_>>();
            assert_eq!(keys(texts), keys(english), "{code}");
            for (key, text) in texts {
                assert_eq!(
                    placeholders(text),
                    placeholders(&english[key]),
                    "{code}: {key}"
                );
                assert_eq!(text.trim(), text, "{code}: {key}");
                assert!(!text.is_empty() && !text.contains('<'), "{code}: {key}");
            }
        }
    }

    #[test]
    fn every_text_is_used_and_every_text_that_is_used_is_there() {
        let script = include_str!("page/reception.js");
        let (links, html) = (
            include_str!("links.rs"),
            include_str!("../../templates/reception.html"),
        );
        for key in Texts::of(Language::En).by_key.keys() {
            let quoted = format!("\"{key}\"");
            let is_used = [script, links, html].iter().any(|it| it.contains(&quoted));
            assert!(is_used, "nothing says {key}");
        }
        for (place, text) in [("reception.js", script), ("links.rs", links)] {
            let asked = text.split("say(\"").skip(1);
            for key in asked.filter_map(|rest| rest.split('"').next()) {
                let is_there = Texts::of(Language::En).by_key.contains_key(key);
                assert!(is_there, "{place}: {key}");
            }
        }
    }

    #[test]
    fn a_browser_gets_the_language_it_likes_best() {
        for (accepts, code) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("ja,fr;q=0.5,es;q=0.7", "es"),
            ("en;q=0.1,fr;q=0.1", "en"),
            ("fr;q=0", "en"),
            ("*", "en"),
            ("FR-ca", "fr"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, accepts.parse().unwrap());
            assert_eq!(Texts::wanted(&headers).code(), code, "{accepts}");
        }
    }

    #[test]
    fn values_are_put_in() {
        let texts = Texts::of(Language::En);
        assert_eq!(texts.say("no such text", &[]), "no such text");
        let said = texts.say("welcome", &[("location", "the {name} <b>Pier</b>")]);
        assert!(said.contains("the {name} <b>Pier</b>"), "{said}");
    }
}

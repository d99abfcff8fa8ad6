//! What must hold of the HTML of every page, whatever is on it.
//!
//! The pages are read as a browser reads them. What foreign data could smuggle in is found by comparing: a page with hostile
//! data has exactly the elements and attributes that it has with ordinary data.

use std::collections::HashSet;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use crate::samples::{self, Sample, Words};

/// An element of a page.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    /// The names of the elements around it, the innermost last.
    around: Vec<String>,
    /// All text in it.
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    fn shape(&self) -> String {
        let names: Vec<&str> = self
            .attributes
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        format!(
            "{} > {} [{}]",
            self.around.join(" > "),
            self.name,
            names.join(" ")
        )
    }
}

fn elements(html: &str) -> Vec<Element> {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
    let mut found = Vec::new();
    collect(&dom.document, &mut Vec::new(), &mut found);
    found
}

fn collect(node: &Handle, around: &mut Vec<String>, found: &mut Vec<Element>) {
    let NodeData::Element { name, attrs, .. } = &node.data else {
        for child in node.children.borrow().iter() {
            collect(child, around, found);
        }
        return;
    };
    let name = name.local.to_string();
    let attributes = attrs
        .borrow()
        .iter()
        .map(|attr| (attr.name.local.to_string(), attr.value.to_string()))
        .collect();
    let mut text = String::new();
    write_text(node, &mut text);
    found.push(Element {
        name: name.clone(),
        attributes,
        around: around.clone(),
        text,
    });
    around.push(name);
    for child in node.children.borrow().iter() {
        collect(child, around, found);
    }
    around.pop();
}

fn write_text(node: &Handle, text: &mut String) {
    if let NodeData::Text { contents } = &node.data {
        text.push_str(&contents.borrow());
    }
    for child in node.children.borrow().iter() {
        write_text(child, text);
    }
}

/// A rule about a page: what breaks it, in words.
type Rule = fn(&[Element]) -> Vec<String>;

const RULES: &[(&str, Rule)] = &[
    ("nothing runs or is styled in the page", nothing_active),
    ("addresses lead to this server", addresses),
    ("ids are unique", unique_ids),
    ("what refers to an id finds it", references),
    ("fields have labels", labels),
    ("buttons and links have names", names),
    ("headings are in order", headings),
    ("tables say what they are", tables),
    ("forms change things with POST alone", forms),
];

#[test]
fn every_page_keeps_the_rules() {
    let mut problems = Vec::new();
    for words in [Words::PLAIN, Words::HOSTILE] {
        for Sample { name, html } in samples::all(words) {
            let page = elements(&html);
            assert!(page.len() > 20, "{name} was read");
            for (rule, check) in RULES {
                problems.extend(
                    check(&page)
                        .into_iter()
                        .map(|what| format!("{name}: {rule}: {what}")),
                );
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn foreign_data_is_never_markup() {
    let plain = samples::all(Words::PLAIN);
    let hostile = samples::all(Words::HOSTILE);
    let attacked = hostile.iter().filter(|sample| sample.html.contains("evil"));
    assert!(
        attacked.count() * 2 > plain.len(),
        "most pages show foreign data"
    );
    for (plain, hostile) in plain.iter().zip(&hostile) {
        let (wanted, got) = (elements(&plain.html), elements(&hostile.html));
        for (wanted, got) in wanted.iter().zip(&got) {
            assert_eq!(wanted.shape(), got.shape(), "{}", plain.name);
        }
        assert_eq!(wanted.len(), got.len(), "{}", plain.name);
    }
}

#[test]
fn samples_have_names_of_their_own() {
    let samples = samples::all(Words::PLAIN);
    let names: HashSet<&str> = samples.iter().map(|sample| sample.name).collect();
    assert_eq!(names.len(), samples.len());
}

/// The rules find what they are for: each of these pages breaks one.
#[test]
fn a_page_that_breaks_a_rule_is_found() {
    let cases = [
        ("<p onclick=x>", "nothing runs"),
        ("<p style='color: red'>", "nothing runs"),
        ("<script>1</script>", "nothing runs"),
        ("<a href='javascript:alert(1)'>x</a>", "addresses"),
        ("<a href='//evil.example/'>x</a>", "addresses"),
        ("<img src='https://evil.example/x' alt=''>", "addresses"),
        ("<p id=a></p><p id=a></p>", "ids are unique"),
        ("<p aria-labelledby=b></p>", "what refers"),
        ("<input name=a>", "fields"),
        ("<button></button>", "buttons"),
        ("<a href='/'><svg></svg></a>", "buttons"),
        ("<h1>a</h1><h3>b</h3>", "headings"),
        ("<table><tr><th scope=col>a</table>", "tables"),
        ("<form action='/a'><input type=hidden></form>", "forms"),
    ];
    for (html, rule) in cases {
        let page = elements(html);
        let (_, check) = RULES
            .iter()
            .find(|(name, _)| name.starts_with(rule))
            .expect(rule);
        assert!(!check(&page).is_empty(), "{html}");
    }
}

fn nothing_active(page: &[Element]) -> Vec<String> {
    let mut problems = Vec::new();
    for element in page {
        if element.is(&[
            "style",
            "iframe",
            "object",
            "embed",
            "base",
            "frame",
            "applet",
            "foreignObject",
            "set",
            "animate",
        ]) {
            problems.push(format!("<{}>", element.name));
        }
        if element.name == "script" && (element.get("src").is_none() || !element.text.is_empty()) {
            problems.push("a script in the page".to_owned());
        }
        if element.name == "meta" && element.get("http-equiv").is_some() {
            problems.push("a meta element that acts".to_owned());
        }
        for (name, _) in &element.attributes {
            if name.starts_with("on")
                || matches!(name.as_str(), "style" | "srcdoc" | "formaction" | "ping")
            {
                problems.push(format!("{name} on <{}>", element.name));
            }
        }
    }
    problems
}

fn addresses(page: &[Element]) -> Vec<String> {
    let mut problems = Vec::new();
    for element in page {
        for name in [
            "href",
            "src",
            "action",
            "data-href",
            "poster",
            "data",
            "xlink:href",
        ] {
            let Some(value) = element.get(name) else {
                continue;
            };
            let local =
                value.starts_with('/') && !value.starts_with("//") && !value.starts_with("/\\");
            if !local && !value.starts_with('#') {
                problems.push(format!("{name}={value:?} on <{}>", element.name));
            }
        }
        if element.name == "img" && element.get("alt").is_none() {
            problems.push("an image without alt".to_owned());
        }
    }
    problems
}

fn unique_ids(page: &[Element]) -> Vec<String> {
    let mut seen = HashSet::new();
    let ids = page.iter().filter_map(|element| element.get("id"));
    ids.filter(|id| !seen.insert(*id))
        .map(str::to_owned)
        .collect()
}

fn references(page: &[Element]) -> Vec<String> {
    let ids: HashSet<&str> = page
        .iter()
        .filter_map(|element| element.get("id"))
        .collect();
    let mut problems = Vec::new();
    for element in page {
        for name in [
            "for",
            "aria-labelledby",
            "aria-describedby",
            "aria-controls",
            "popovertarget",
            "data-dialog",
        ] {
            let wanted = element.get(name).unwrap_or_default().split_whitespace();
            problems.extend(
                wanted
                    .filter(|id| !ids.contains(id))
                    .map(|id| format!("{name}={id}")),
            );
        }
        if let Some(id) = element.get("href").and_then(|href| href.strip_prefix('#'))
            && !id.is_empty()
            && !ids.contains(id)
        {
            problems.push(format!("href=#{id}"));
        }
        if element.get("data-live").is_some() && element.get("id").is_none() {
            problems.push(format!("data-live on <{}> without an id", element.name));
        }
    }
    problems
}

fn labels(page: &[Element]) -> Vec<String> {
    let labelled: HashSet<&str> = page
        .iter()
        .filter(|element| element.name == "label")
        .filter_map(|label| label.get("for"))
        .collect();
    let fields = page
        .iter()
        .filter(|element| element.is(&["input", "select", "textarea"]));
    let fields =
        fields.filter(|field| !matches!(field.get("type"), Some("hidden" | "submit" | "button")));
    let bare = fields.filter(|field| {
        field.get("aria-label").is_none() && field.get("id").is_none_or(|id| !labelled.contains(id))
    });
    bare.map(Element::shape).collect()
}

fn names(page: &[Element]) -> Vec<String> {
    let actions = page.iter().filter(|element| {
        element.is(&["button", "summary"]) || element.name == "a" && element.get("href").is_some()
    });
    let bare = actions.filter(|action| {
        action.text.trim().is_empty()
            && action
                .get("aria-label")
                .is_none_or(|name| name.trim().is_empty())
    });
    bare.map(Element::shape).collect()
}

fn headings(page: &[Element]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut level = 0;
    let mut tops = 0;
    for element in page {
        let (["h", digit], false) = (
            [
                element.name.get(..1).unwrap_or_default(),
                element.name.get(1..).unwrap_or_default(),
            ],
            element.around.iter().any(|name| name == "dialog"),
        ) else {
            continue;
        };
        let Ok(this) = digit.parse::<u8>() else {
            continue;
        };
        if this > level + 1 {
            problems.push(format!("h{this} after h{level}: {}", element.text));
        }
        tops += u8::from(this == 1);
        level = this;
    }
    if tops != 1 {
        problems.push(format!("{tops} headings of the first level"));
    }
    problems
}

fn tables(page: &[Element]) -> Vec<String> {
    let count = |name: &str| page.iter().filter(|element| element.name == name).count();
    let mut problems = Vec::new();
    if count("table") != count("caption") {
        problems.push(format!(
            "{} tables, {} captions",
            count("table"),
            count("caption")
        ));
    }
    let bare = page
        .iter()
        .filter(|element| element.name == "th" && element.get("scope").is_none());
    problems.extend(bare.map(Element::shape));
    problems
}

/// A form with GET asks something, so it has a field to be filled in.
fn forms(page: &[Element]) -> Vec<String> {
    let forms = page.iter().filter(|element| element.name == "form");
    let wrong = forms.filter(|form| {
        !matches!(form.get("method"), Some("get" | "post")) || form.get("action").is_none()
    });
    wrong.map(Element::shape).collect()
}

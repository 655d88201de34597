//! Plans as web pages hold them: entities in the place of characters, tags around the lines.

/// Entities, that of `&` last.
const ENTITIES: [(&str, &str); 10] = [
    ("&gt;", ">"),
    ("&lt;", "<"),
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&nbsp;", " "),
    ("&#160;", " "),
    ("&amp;", "&"),
];

/// What a text without any other sign of a page holds only if it is of one.
const SIGNS: [&str; 7] = ["-&gt;", " &lt; ", " &gt; ", " &lt;= ", " &gt;= ", "&quot;Plan&quot;", "&#34;Plan&#34;"];

/// The text with characters in the place of entities; `None` if it holds none, or such in constants only: then what they
/// stand for is beside them as it is.
pub(crate) fn decoded(text: &str) -> Option<String> {
    if !text.contains('&') {
        return None;
    }
    // Some pages hold what was one before.
    let twice = ["&amp;gt;", "&amp;lt;", "&amp;quot;", "&amp;#39;"].iter().any(|twice| text.contains(twice));
    if twice {
        let once = text.replace("&amp;", "&");
        return Some(decoded(&once).unwrap_or(once));
    }
    let stands_alone = |(name, of): &(&str, &str)| *of != " " && text.contains(name) && !text.contains(of);
    let is_page = SIGNS.iter().any(|sign| text.contains(sign)) || ENTITIES.iter().take(7).any(stands_alone);
    is_page.then(|| ENTITIES.iter().fold(text.to_owned(), |text, (name, of)| text.replace(name, of)))
}

/// Tags that stand around lines of text.
const TAGS: [&str; 18] = [
    "pre",
    "code",
    "p",
    "br",
    "div",
    "span",
    "td",
    "th",
    "tr",
    "table",
    "tbody",
    "thead",
    "samp",
    "blockquote",
    "li",
    "ul",
    "body",
    "html",
];

/// The text without the tags at both ends of its lines, and with line ends for `<br>`; `None` if it has no such tags.
pub(crate) fn without(text: &str) -> Option<String> {
    if !["<pre", "</pre>", "<br", "</td>", "</p>", "</div>", "</code>"].iter().any(|tag| text.contains(tag)) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let mut rest = line;
        loop {
            let inner = rest.trim_start();
            let Some(end) = tag(inner) else { break };
            rest = &inner[end..];
        }
        while let Some(begin) = rest
            .trim_end()
            .rfind('<')
            .filter(|begin| tag(rest[*begin..].trim_end()) == Some(rest.trim_end().len() - begin))
        {
            rest = &rest[..begin];
        }
        for end in ["<br>", "<br/>", "<br />"] {
            if rest.contains(end) {
                plain.push_str(&rest.replace(end, "\n"));
                plain.push('\n');
                rest = "";
            }
        }
        plain.push_str(rest);
        plain.push('\n');
    }
    Some(plain)
}

/// Length of the tag that the text begins with.
fn tag(text: &str) -> Option<usize> {
    let name = text.strip_prefix('<')?.trim_start_matches('/');
    let length = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    TAGS.contains(&name[..length].to_ascii_lowercase().as_str()).then_some(())?;
    let rest = &name[length..];
    rest.starts_with(['>', ' ', '/']).then_some(())?;
    text.find('>').map(|end| end + 1)
}

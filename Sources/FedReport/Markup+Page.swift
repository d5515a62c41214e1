/// What all pages have in common.
extension Markup {
    /// A whole document: styles inline, nothing from elsewhere allowed, no script.
    static func page(_ title: String, _ content: (inout Markup) -> Void) -> String {
        var page = Markup()
        page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        page.raw(
            "<meta http-equiv=\"Content-Security-Policy\" "
                + "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        page.element("title", title)
        page.raw("\n<style>\n\(HTMLStyle.sheet)</style>\n</head>\n<body>\n<main>\n")
        content(&page)
        page.raw("</main>\n</body>\n</html>\n")
        return page.text
    }

    /// A figure with what it is and what to know of it.
    mutating func card(_ figure: String, _ label: String, _ note: String) {
        group("div", attributes: "class=\"card\"") { page in
            page.element("strong", figure)
            page.element("span", label)
            page.element("small", note)
        }
    }

    /// Which colour stands for what.
    ///
    /// - Parameter swatch: draws a style's sample of so many pixels.
    mutating func legend(
        _ entries: [(style: ScoreKind, name: String)], width: Int = 26,
        swatch: (ScoreKind) -> String = Markup.bar
    ) {
        group("p", attributes: "class=\"legend\"") { page in
            for entry in entries {
                page.raw("<span><svg width=\"\(width)\" height=\"12\" aria-hidden=\"true\">")
                page.raw(swatch(entry.style) + "</svg> ")
                page.add(entry.name)
                page.raw("</span> ")
            }
        }
    }

    /// A sample of a bar.
    static func bar(_ style: ScoreKind) -> String {
        "<rect class=\"bar \(style.rawValue)\" width=\"26\" height=\"12\"/>"
    }
}

/// HTML text under construction; what is not markup is escaped on its way in.
struct Markup {
    private(set) var text = ""

    /// Adds markup as it is: literals of this program only.
    mutating func raw(_ markup: String) { text += markup }

    /// Adds text of any origin.
    mutating func add(_ content: String) { text += Self.escape(content) }

    /// Adds an element with plain text in it.
    mutating func element(_ tag: String, _ content: String, attributes: String = "") {
        let gap = attributes.isEmpty ? "" : " "
        raw("<\(tag)\(gap)\(attributes)>")
        add(content)
        raw("</\(tag)>")
    }

    /// Opens an element, adds what is in it, and closes it.
    mutating func group(
        _ tag: String, attributes: String = "", _ content: (inout Markup) -> Void
    ) {
        let gap = attributes.isEmpty ? "" : " "
        raw("<\(tag)\(gap)\(attributes)>")
        content(&self)
        raw("</\(tag)>\n")
    }

    /// Text that is safe between tags and in quoted attributes.
    ///
    /// Control characters, which HTML forbids, become question marks.
    static func escape(_ content: String) -> String {
        var safe = ""
        for scalar in content.unicodeScalars {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            default:
                let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
                safe.unicodeScalars.append(isControl ? "?" : scalar)
            }
        }
        return safe
    }
}

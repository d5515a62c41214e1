internal import FedCrypto
internal import Foundation

/// The page for reviewers: one document without anything from elsewhere.
///
/// It holds no data of the bank; its script asks the service for them, with the token that the
/// reviewer types where one is needed. The content security policy allows this very script and
/// style and no other, and no connection but to the service.
enum ReviewPage {
    /// The document.
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Review</title>
        <link rel="icon" href="data:,">
        <style>\(style)</style>
        </head>
        \(markup)
        <script>\(words)\(script)</script>
        </html>
        """

    /// The policy that goes with it.
    static let contentSecurityPolicy =
        "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; style-src \(source(style)); "
        + "script-src \(source(words + script))"

    /// The page as an answer.
    static let answer: Answer = {
        var answer = Answer(Array(html.utf8), contentType: "text/html; charset=utf-8")
        if let name = HTTPFieldName.contentSecurityPolicy {
            answer.headers.append((name, contentSecurityPolicy))
        }
        if let name = HTTPFieldName.referrerPolicy { answer.headers.append((name, "no-referrer")) }
        return answer
    }()

    /// A text's SHA-256 as the policy names it.
    private static func source(_ text: String) -> String {
        "'sha256-\(Data(SHA256.hash(Array(text.utf8))).base64EncodedString())'"
    }
}

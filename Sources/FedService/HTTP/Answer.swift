internal import FedCore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// An answer before it becomes Hummingbird's.
struct Answer: Sendable {
    var status = 200
    var contentType = "application/json"
    var body: [UInt8]
    var headers: [(HTTPField.Name, String)] = []

    init(_ body: [UInt8], status: Int = 200, contentType: String = "application/json") {
        self.body = body
        self.status = status
        self.contentType = contentType
    }

    init(_ json: CanonicalJSON, status: Int = 200) { self.init(json.bytes, status: status) }

    init(_ once: OnceAnswer) {
        self.init(once.body, status: once.status)
        if once.isRepeated, let name = HTTPFieldName.idempotentReplay {
            headers.append((name, "true"))
        }
    }

    init(_ fault: Fault) {
        self.init(fault.json, status: fault.code.status)
        if let seconds = fault.retryAfterSeconds {
            headers.append((.retryAfter, String(seconds)))
        }
        if fault.code == .unauthorised { headers.append((.wwwAuthenticate, "Bearer")) }
    }

    var response: Response {
        var fields = HTTPFields()
        fields[.contentType] = contentType
        fields[.cacheControl] = "no-store"
        fields[.xContentTypeOptions] = "nosniff"
        for (name, value) in headers { fields[name] = value }
        return Response(
            status: HTTPResponse.Status(code: status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

internal import Glibc

/// Turns `errno` into a ``StoreError``.
enum SystemFailure {
    static func storeError(_ code: CInt, path: String) -> StoreError {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: .diskFull(path: path)
        case ENOENT: .missing(path: path)
        default: .inaccessible(path: path, reason: text(code))
        }
    }

    static func text(_ code: CInt) -> String { String(cString: strerror(code)) }
}

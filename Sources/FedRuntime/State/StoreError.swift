/// Why durable state cannot be read or written.
public enum StoreError: Error, Equatable, Sendable {
    /// No room is left; nothing was half-written.
    case diskFull(path: String)
    /// Another process works on the same state folder.
    case locked(path: String, holder: String)
    /// The file is damaged or not ours.
    case corrupt(path: String)
    /// A newer release wrote the file.
    case newerSchema(path: String, got: Int, supported: Int)
    /// A file that should be there is not.
    case missing(path: String)
    /// The system refused, with its own words.
    case inaccessible(path: String, reason: String)
    /// Something else is already recorded under this name.
    case conflict(what: String)
    /// The database refused a statement; a defect of ours.
    case failed(path: String, reason: String)
}

extension StoreError: ExplainedError {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .diskFull(let path): "the disk is full: \(path) could not be written"
        case .locked(let path, let holder):
            "the state folder \(path) is in use by another process\(holder)"
        case .corrupt(let path): "\(path) is damaged or not a state file"
        case .newerSchema(let path, let got, let supported):
            "\(path) has schema \(got); this release knows up to \(supported)"
        case .missing(let path): "\(path) does not exist"
        case .inaccessible(let path, let reason): "\(path): \(reason)"
        case .conflict(let what): "\(what) is already recorded with another content"
        case .failed(let path, let reason): "\(path): \(reason)"
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .diskFull: "free some space and start again; what was recorded before is intact"
        case .locked: "stop the other process, or give this one a folder of its own"
        case .corrupt: "restore the state folder from a backup"
        case .newerSchema: "install the release that wrote it, or a later one"
        case .missing: "check the path"
        case .inaccessible: "check the owner and the permissions"
        case .conflict, .failed: ""
        }
    }
}

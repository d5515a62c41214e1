/// The rule that forbids a bank to send what it was asked for.
///
/// Thrown by ``SafetyKernel``. A closed list: the same words appear in the bank's log and audit.
public enum SafetyViolation: Error, Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The roster names a member twice, out of order or not of the charter.
    case rosterMalformed
    /// This bank is not in the roster.
    case rosterWithoutOwn
    /// A bloc is in the roster in part.
    case blocSplit(bloc: Int)
    /// The roster is smaller than the charter's numbers allow.
    case rosterTooSmall(got: Int, least: Int)
    /// The gate is not later than the last one.
    case gateNotNew(got: UInt32, last: UInt32)
    /// This bank has never taken part in the attempt.
    case attemptUnknown
    /// A later attempt or group has begun.
    case attemptClosed
    /// The group was summed, or may have been, over another roster.
    case groupCommitted
    /// The slot is before the last one.
    case slotPassed(got: UInt32, last: UInt32)
    /// The slot was uploaded with other content.
    case resendDiffers(slot: UInt32)
    /// A plain slot is asked for before the gate was released.
    case plainBeforeRelease(slot: UInt32)
    /// The gate is asked for before this bank has uploaded.
    case releaseBeforeUpload
    /// The commit does not show a member's signed upload.
    case uploadMissing(member: Int)
    /// A member has uploaded for another context than this bank.
    case uploadDiffers(member: Int)
    /// A share is asked for in an attempt whose gate this bank has not released.
    case shareBeforeRelease
    /// A share is asked for of a bank that is not in the roster.
    case shareOfStranger(member: Int)
    /// The static query was answered over another roster.
    case staticQueryAnswered

    /// The words for a person; members are named by their place in the charter.
    public var description: String {
        switch self {
        case .rosterMalformed: "the roster is not an ascending list of the charter's members"
        case .rosterWithoutOwn: "the roster is without this bank"
        case .blocSplit(let bloc): "the roster holds only a part of bloc \(bloc)"
        case .rosterTooSmall(let got, let least):
            "the roster has \(got) banks, the charter's numbers require \(least)"
        case .gateNotNew(let got, let last): "gate \(got) is not later than gate \(last)"
        case .attemptUnknown: "this bank does not take part in the attempt"
        case .attemptClosed: "a later attempt or group has begun"
        case .groupCommitted: "the group is bound to another roster by an earlier release"
        case .slotPassed(let got, let last): "slot \(got) is before slot \(last)"
        case .resendDiffers(let slot): "slot \(slot) was uploaded with other content"
        case .plainBeforeRelease(let slot): "slot \(slot) is asked for before the gate is open"
        case .releaseBeforeUpload: "the gate is asked for before the upload"
        case .uploadMissing(let member): "the commit shows no upload of member \(member)"
        case .uploadDiffers(let member): "member \(member) was told another context"
        case .shareBeforeRelease: "a share is asked for before this bank's own release"
        case .shareOfStranger(let member): "member \(member) is not in the roster of the attempt"
        case .staticQueryAnswered: "the static query was answered over another roster"
        }
    }
}

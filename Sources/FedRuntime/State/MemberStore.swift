public import FedCore
public import FedWire
internal import Foundation
internal import GRDB

/// What the coordinator keeps of an invitation: never the token itself.
public struct InvitationRecord: Equatable, Sendable {
    /// SHA-256 of the token.
    public var tokenDigest: [UInt8]
    /// For whom.
    public var bank: NodeID
    /// Until when it can be used, seconds since 1970.
    public var expiresUnixSeconds: Int64
    /// What identifies the keys with which it was used; empty before.
    public var keysDigest: [UInt8]
    /// The certificate that was issued for it, PEM; empty before.
    public var certificatePEM: String
}

/// Members and invitations of the consortium.
public struct MemberStore: Sendable {
    let file: SQLiteFile

    /// Records a new invitation; the bank appears among the members as invited.
    public func add(
        tokenDigest: [UInt8], bank: NodeID, expiresUnixSeconds: Int64
    ) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "INSERT INTO invitation (token, bank, expires) VALUES (?, ?, ?)",
                arguments: [tokenDigest.data, bank.name, expiresUnixSeconds])
            try database.execute(
                sql: "INSERT OR IGNORE INTO member (bank, state) VALUES (?, ?)",
                arguments: [bank.name, MemberState.invited.rawValue])
        }
    }

    /// The invitation of a token.
    public func invitation(tokenDigest: [UInt8]) throws(StoreError) -> InvitationRecord? {
        try file.read { try Self.invitation(tokenDigest, in: $0) }
    }

    /// Uses an invitation and makes its bank an active member, in one transaction.
    ///
    /// - Returns: the invitation as it then stands; when it was used before, by anybody, nothing is
    ///   changed and its certificate is the earlier one.
    public func redeem(
        tokenDigest: [UInt8], keysDigest: [UInt8], identityKey: [UInt8],
        bundle: CertificateBundle, at unixMilliseconds: Int64
    ) throws(StoreError) -> InvitationRecord? {
        try file.write { database in
            guard let invitation = try Self.invitation(tokenDigest, in: database) else {
                return nil
            }
            guard invitation.keysDigest.isEmpty else { return invitation }
            try database.execute(
                sql: "UPDATE invitation SET keys = ?, certificate = ? WHERE token = ?",
                arguments: [keysDigest.data, bundle.certificatePEM, tokenDigest.data])
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO member
                    (bank, state, identity_key, serial, expires, enrolled)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    invitation.bank.name, MemberState.active.rawValue, identityKey.data,
                    bundle.serial, bundle.expiresUnixSeconds * 1000, unixMilliseconds,
                ])
            return try Self.invitation(tokenDigest, in: database)
        }
    }

    /// All banks that were ever invited, by name.
    public func members() throws(StoreError) -> [MemberStatus] {
        try file.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM member ORDER BY bank").map(Self.status)
        }
    }

    /// One bank.
    public func member(_ bank: NodeID) throws(StoreError) -> MemberStatus? {
        try file.read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM member WHERE bank = ?", arguments: [bank.name]
            ).map(Self.status)
        }
    }

    /// Shuts a bank out; its unused invitations die with it.
    ///
    /// - Returns: the member as it then stands; `nil` when the bank was never invited.
    public func revoke(_ bank: NodeID) throws(StoreError) -> MemberStatus? {
        try file.write { database in
            try database.execute(
                sql: "UPDATE member SET state = ? WHERE bank = ?",
                arguments: [MemberState.revoked.rawValue, bank.name])
            try database.execute(
                sql: "DELETE FROM invitation WHERE bank = ?", arguments: [bank.name])
            return try Row.fetchOne(
                database, sql: "SELECT * FROM member WHERE bank = ?", arguments: [bank.name]
            ).map(Self.status)
        }
    }

    /// Whether a bank with this certificate may connect; `nil` when it may.
    public func admission(of bank: NodeID, serial: String) throws(StoreError) -> Refusal? {
        guard let member = try member(bank) else { return .notAMember }
        switch member.state {
        case .invited: return .notAMember
        case .revoked: return .revoked
        case .active: return member.certificateSerial == serial ? nil : .supersededCertificate
        }
    }

    private static func invitation(
        _ digest: [UInt8], in database: GRDB.Database
    ) throws -> InvitationRecord? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM invitation WHERE token = ?", arguments: [digest.data]
        ).map { row in
            InvitationRecord(
                tokenDigest: row.bytes("token"), bank: try row.bank("bank"),
                expiresUnixSeconds: row.integer("expires"), keysDigest: row.bytes("keys"),
                certificatePEM: row.text("certificate"))
        }
    }

    private static func status(_ row: Row) throws -> MemberStatus {
        var status = MemberStatus(bank: try row.bank("bank"), state: try row.value("state"))
        status.identityKey = row.bytes("identity_key")
        status.certificateSerial = row.text("serial")
        status.certificateExpiresUnixMilliseconds = row.integer("expires")
        status.enrolledUnixMilliseconds = row.integer("enrolled")
        return status
    }

    static func createTables(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE member (
                    bank TEXT PRIMARY KEY, state TEXT NOT NULL, identity_key BLOB, serial TEXT,
                    expires INTEGER, enrolled INTEGER) WITHOUT ROWID;
                CREATE TABLE invitation (
                    token BLOB PRIMARY KEY, bank TEXT NOT NULL, expires INTEGER NOT NULL,
                    keys BLOB, certificate TEXT) WITHOUT ROWID;
                """)
    }
}

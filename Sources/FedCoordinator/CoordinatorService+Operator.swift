package import FedCore
internal import FedCrypto
package import FedRuntime
package import FedWire

extension CoordinatorService: OperatorDelegate {
    package func startRun(_ request: RunRequest) throws(OperatorError) -> RunStatus {
        let standard: FeatureStandard
        do {
            standard = try FeatureStandard(json: request.standardJSON)
        } catch {
            throw .invalid(
                reason: "the feature standard is unusable: \(error)",
                hint: "check it: fed standard show FILE")
        }
        let charter = try charter(of: try roster(of: request.banks))
        guard let run = RunID(bytes: Entropy.bytes(16)) else {
            throw .failed(reason: "no identifier for the run")
        }
        let record: RunRecord
        let machine: CoordinatorRun
        do throws(LearningError) {
            let algorithm = try AlgorithmConfiguration(
                name: request.algorithm, configurationJSON: Array(request.configurationJSON.utf8))
            let manifest = Manifest(
                run: run, algorithm: algorithm, standardDigest: standard.sha256,
                standardName: "\(standard.name) \(standard.version)",
                rowsMax: request.rowsMax == 0
                    ? Manifest.rowsMaxDefault : Int(clamping: request.rowsMax),
                charter: charter)
            record = RunRecord(
                run: run, algorithm: request.algorithm, manifest: manifest.bytes,
                startedUnixMilliseconds: Timestamp.nowUnixMilliseconds())
            machine = CoordinatorRun(
                manifest: manifest, charter: charter, key: identityKey,
                learner: try Self.learner(manifest, standard: standard))
        } catch {
            throw .invalid(reason: error.description, hint: "fed-coordinator run start --help")
        }
        return try begin(
            ActiveRun(machine: machine, record: record), standard: request.standardJSON)
    }

    func charter(of roster: Roster) throws(OperatorError) -> Charter {
        var terms: CharterTerms
        do {
            terms = try CharterTerms(in: state.folder)
        } catch {
            throw .failed(reason: "\(error)")
        }
        terms.holdSeconds = holdSeconds ?? terms.holdSeconds
        do {
            return try terms.charter(of: roster)
        } catch {
            throw .invalid(
                reason: "no charter for these banks: \(error)",
                hint: "see its terms: fed-coordinator charter")
        }
    }

    /// The named banks, or all active members.
    func roster(of banks: [NodeID]) throws(OperatorError) -> Roster {
        let known = try stored { () throws(StoreError) in try store.members.members() }
        let active = known.filter { $0.state == .active }
        if let stranger = banks.first(where: { bank in !active.contains { $0.bank == bank } }) {
            throw .notFound("bank \(stranger)")
        }
        let chosen = active.filter { banks.isEmpty || banks.contains($0.bank) }
        do {
            return try Roster(
                chosen.compactMap { Member(bank: $0.bank, identityKey: $0.identityKey) })
        } catch {
            throw .invalid(
                reason: error.description,
                hint: "invite and enrol more banks: fed-coordinator invite --bank NAME")
        }
    }

    package func watchRun(_ run: RunID) throws(OperatorError) -> AsyncStream<RunStatus> {
        watch(run, now: try self.run(run))
    }

    package func run(_ run: RunID) throws(OperatorError) -> RunStatus {
        if let status = activeStatus, status.run == run { return status }
        guard let record = try stored({ () throws(StoreError) in try store.runs.run(run) }) else {
            throw .notFound("run \(run)")
        }
        return try status(of: record)
    }

    package func runs(limit: Int) throws(OperatorError) -> [RunStatus] {
        let records = try stored { () throws(StoreError) in try store.runs.runs(limit: limit) }
        var statuses: [RunStatus] = []
        for record in records {
            if let active = activeStatus, active.run == record.run {
                statuses.append(active)
            } else {
                statuses.append(try status(of: record))
            }
        }
        return statuses
    }

    private func status(of record: RunRecord) throws(OperatorError) -> RunStatus {
        var status = RunStatus(
            run: record.run, algorithm: record.algorithm,
            startedUnixMilliseconds: record.startedUnixMilliseconds)
        status.state = record.state
        status.reason = record.reason
        status.modelSHA256 = record.modelSHA256
        status.slot = UInt64(clamping: record.slots)
        status.round = UInt32(clamping: record.rounds)
        status.finishedUnixMilliseconds = record.finishedUnixMilliseconds
        if let end = record.finishedUnixMilliseconds {
            status.seconds = Double(end - record.startedUnixMilliseconds) / 1000
        }
        status.banks = try stored { () throws(StoreError) in try store.traffic(of: record.run) }
        return status
    }

    package func abortRun(_ run: RunID, reason: String) throws(OperatorError) -> RunStatus {
        guard let status = activeStatus, status.run == run else {
            let ended = try self.run(run)
            throw .conflict(
                reason: "run \(run) has ended already: \(ended.state.rawValue)", hint: "")
        }
        abortActive(.byOperator)
        return try self.run(run)
    }

    package func model(sha256: String) throws(OperatorError) -> [UInt8] {
        guard
            let model = try stored({ () throws(StoreError) in
                try store.runs.model(sha256: sha256)
            })
        else { throw .notFound("model \(sha256)") }
        return model
    }

    package func members() throws(OperatorError) -> [MemberStatus] {
        try stored { () throws(StoreError) in try store.members.members() }
    }

    package func revokeMember(_ bank: NodeID) throws(OperatorError) -> MemberStatus {
        guard
            let member = try stored({ () throws(StoreError) in try store.members.revoke(bank) })
        else { throw .notFound("bank \(bank)") }
        return member
    }

    package func createInvitation(
        for bank: NodeID, validFor: Duration
    ) throws(OperatorError) -> [UInt8] {
        do {
            return try state.invitation(for: bank, validFor: validFor, members: store.members).json
        } catch let error as any ExplainedError {
            throw .failed(reason: error.description)
        } catch {
            throw .failed(reason: "\(error)")
        }
    }

    private func stored<Value>(
        _ body: () throws(StoreError) -> Value
    ) throws(OperatorError) -> Value {
        do {
            return try body()
        } catch {
            throw .failed(reason: error.description)
        }
    }
}

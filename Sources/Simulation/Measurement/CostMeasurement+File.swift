import Schedules

extension CostMeasurement {
    /// Bytes of a stage, under the names of `StageCosts`.
    public struct StageBytes: Sendable, Equatable {
        public let unit: Int
        public let weightUnit: Int
        public let light: Int
        public let resident: Int
        public let sequence: Int

        public init(unit: Int, weightUnit: Int, light: Int, resident: Int, sequence: Int = 0) {
            self.unit = unit
            self.weightUnit = weightUnit
            self.light = light
            self.resident = resident
            self.sequence = sequence
        }
    }

    /// The costs in the simulator's form. Kinds of action that weren't measured are left out as far as the form can
    /// tell them from others: halves of a backward are not guessed from the whole.
    ///
    /// - Parameters:
    ///   - bytes: one entry per stage
    ///   - shares: by stage what each slice takes; empty, or nil for a stage: all the same
    ///   - note: where and how it was measured
    public func file(
        bytes: [StageBytes], shares: [SliceShares?] = [], messageBytes: Int, note: String
    ) throws -> CostFile {
        precondition(bytes.count == times.count, "one entry per stage")
        let stages = try zip(times, bytes).enumerated().map { stage, measured in
            var costs = try Self.stage(stage, measured.0, measured.1)
            if !shares.isEmpty { costs.sliceShares = shares[stage] }
            return costs
        }
        var file = CostFile(
            stages: stages, messageBytes: stages.count > 1 ? [messageBytes] : [], closing: [rest],
            link: transfer.map { Link(latency: $0) }, sharedCores: sharedCores)
        file.note = note
        return file
    }

    private static func stage(_ stage: Int, _ times: [ActionKind: Double], _ bytes: StageBytes) throws -> StageCosts {
        guard let forward = times[.forward] else {
            throw SimulationError("no forward of stage \(stage) was measured")
        }
        var costs: StageCosts
        if let input = times[.backwardInput], let weight = times[.backwardWeight] {
            costs = StageCosts(
                forward: forward, backwardInput: input, backwardWeight: weight, backward: times[.backward],
                recompute: times[.recompute])
        } else if let backward = times[.backward] {
            costs = StageCosts(forward: forward, fusedBackward: backward, recompute: times[.recompute])
        } else {
            throw SimulationError("no backward of stage \(stage) was measured")
        }
        costs.unitBytes = bytes.unit
        costs.weightUnitBytes = bytes.weightUnit
        costs.lightBytes = bytes.light
        costs.residentBytes = bytes.resident
        costs.sequenceBytes = bytes.sequence
        return costs
    }
}

import Hardware
import Numerics
import Schedules

/// The bytes that a rank needs for a step, by what they are for. Only `stash`, `prefixes`, `spool` and `tokens` depend
/// on a sequence's length, the stash by the number of slices that it keeps at once:
///
///     stash = full x (activations of a slice) + light x (input and entry state of a slice)
///             + gradient x (upstream gradients of a slice)
///
/// with the numbers of slots that the table asks for. In memory `full` is the number of slices in flight; with
/// recompute that is `light`, and `full` is as many as are computed at a time; on disk each is at most
/// `Slots.resident`.
package struct RankMemory: Sendable, Equatable {
    /// Parameters, their gradients, both moments of the tensors that the rank updates.
    package var parameters = 0
    /// The weights as matrix products read them.
    package var packed = 0
    /// Scratch of the stages.
    package var workspace = 0
    /// What is kept of slices for their backward, in memory.
    package var stash = SlotNumbers()
    /// The slots of all stages in which it is kept.
    package var slots = SlotNumbers()
    /// Carried states and their gradients.
    package var states = 0
    /// What whole sequences keep of their tokens, and its gradients; with streams of those before them, too, from
    /// step to step.
    package var prefixes = 0
    /// Activations and gradients that come and go between stages, and what has come of other replicas' gradients to be
    /// summed.
    package var messages = 0
    /// Token numbers of a step, as read and as used.
    package var tokens = 0
    /// A copy of what the rank saves of parameters and moments, from which a checkpoint is written while training goes
    /// on.
    package var snapshot = 0
    /// What is kept of slices on disk; no memory.
    package var spool = 0

    package init() {}

    /// Floats that are written to drive a copy of so many out of the caches, when its speed is measured after the run;
    /// whole MiB.
    package static func cacheFiller(_ copied: Int) -> Int {
        min(1 << 24, (copied.saturatingTimes(4) >> 18).saturatingPlus(1).saturatingTimes(1 << 18))
    }

    package var stashBytes: Int { .saturatingSum([stash.full, stash.light, stash.gradient]) }
    package var total: Int {
        .saturatingSum([parameters, packed, workspace, stashBytes, states, prefixes, messages, tokens, snapshot])
    }
}

extension PipelinePlan {
    /// - Parameters:
    ///   - worldRank: whose memory
    ///   - workers: its threads
    ///   - checkpoints: whether states are saved on the way
    package func memory(ofRank worldRank: Int, workers: Int, checkpoints: Bool) -> RankMemory {
        let (replica, rank) = (worldRank / ranks, worldRank % ranks)
        var memory = RankMemory()
        for stage in table.shape.stages(on: rank) {
            let bytes = self.memory(of: stage, workers: workers, replica: replica)
            memory.parameters += bytes.parameters
            memory.packed += bytes.packed
            memory.workspace += bytes.workspace
            for family in SlotFamily.allCases {
                memory.slots[family] += slots.stages[stage][family]
                memory.stash[family] = memory.stash[family].saturatingPlus(
                    slots.stages[stage][family].saturatingTimes(bytes[family]))
            }
            memory.states = memory.states.saturatingPlus(mostStates(at: stage).saturatingTimes(bytes.state))
            memory.prefixes = .saturatingSum([
                memory.prefixes, mostPrefixes(at: stage).saturatingTimes(bytes.prefix), bytes.streamRows,
            ])
            if checkpoints, savesValues(replica) { memory.snapshot += bytes.values }
            if checkpoints, savesMoments(replica) { memory.snapshot += bytes.moments }
            if checkpoints, streams {
                memory.snapshot = .saturatingSum([
                    memory.snapshot, sequences.saturatingTimes(bytes.state), bytes.streamRows / 2,
                ])
            }
        }
        memory.spool = spoolLayout(of: rank, workers: workers).bytes
        memory.messages = mostMessages(on: rank).saturatingTimes(messageBytes)
        if replicas > 1 {
            memory.messages += Summation.shareBytes(
                members: replicas, longestPiece: SyncLayout(self, rank: rank).longestPiece(of: replica))
        }
        // As int32: token and target in the step's batch and in that of the next step, which is there already, of all
        // replicas; in the copy for the rank; and with several where the batch was put together.
        memory.tokens = [2, MemoryLayout<Int32>.stride, replicas > 1 ? 2 + 2 * replicas : 3].reduce(
            sequences.saturatingTimes(sequence)
        ) { $0.saturatingTimes($1) }
        return memory
    }

    /// Where a rank's file holds what is spooled.
    package func spoolLayout(of rank: Int, workers: Int) -> SpoolLayout {
        SpoolLayout(slots, stages: table.shape.stages(on: rank)) { stage in
            let bytes = memory(of: stage, workers: workers)
            let float = MemoryLayout<Float>.stride
            return SlotNumbers(
                full: bytes.unit / float, light: bytes.lightUnit / float, gradient: bytes.gradientUnit / float)
        }
    }

    /// States of sequences under way at a stage, their gradients, and the one that an action makes.
    private func mostStates(at stage: Int) -> Int {
        // Streams keep theirs from step to step, and what a step began with until it is known whether it counts.
        var held = streams ? sequences : 0
        var most = held
        for action in table.rows[table.shape.rank(of: stage)] where action.stage == stage {
            if action.kind == .forward {
                if action.slice == 0 { held += 1 }
                most = max(most, held + 1)
                if action.slice == slices - 1, !streams { held -= 1 }
            } else if action.kind.givesInputGradient {
                if action.slice == slices - 1 { held += 1 }
                most = max(most, held)
                if action.slice == 0 { held -= 1 }
            }
        }
        return most + (slots.stages[stage].light > 0 ? 1 : 0)
    }

    /// Sequences of which a stage keeps every token, from the first forward to the last backward, and those of which it
    /// has gradients.
    private func mostPrefixes(at stage: Int) -> Int {
        var (held, most) = (0, 0)
        for action in table.rows[table.shape.rank(of: stage)] where action.stage == stage {
            if action.kind == .forward {
                if action.slice == 0 { held += 1 }
            } else if action.kind.givesInputGradient, action.slice == slices - 1 {
                held += 1
            }
            most = max(most, held)
            if action.kind.givesInputGradient, action.slice == 0 { held -= 2 }
        }
        return most
    }

    /// Buffers of messages posted ahead, on their way out, and in the hands of an action; a rank that gets further
    /// ahead of a neighbour makes more.
    func mostMessages(on rank: Int) -> Int {
        min(MessagePump.ahead, messages.receives[rank].count) + min(2, messages.sends[rank].count) + 1
    }
}

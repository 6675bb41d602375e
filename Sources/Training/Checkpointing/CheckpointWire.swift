import Checkpoints
import Hardware
import MPI

// What ranks tell each other about checkpoints, and of their cores, in the one format for it.

/// What world rank 0 wants all to go on from.
package enum ResumeProposal: Equatable {
    /// There is none; `hasDamage`: what there is, isn't whole.
    case nothing(hasDamage: Bool)
    case candidate(ResumeCandidate)
}

package struct ResumeCandidate: Equatable {
    package let step: Int
    package let level: CheckpointLevel

    package init(step: Int, level: CheckpointLevel) {
        self.step = step
        self.level = level
    }
}

extension ResumeProposal: WireValue {
    package func write(to writer: inout WireWriter) {
        switch self {
        case .nothing(let hasDamage):
            ResumeCandidate?.none.write(to: &writer)
            hasDamage.write(to: &writer)
        case .candidate(let candidate): Optional(candidate).write(to: &writer)
        }
    }

    package init(from reader: inout WireReader) throws {
        if let candidate: ResumeCandidate = try reader.next() {
            self = .candidate(candidate)
        } else {
            self = .nothing(hasDamage: try reader.next())
        }
    }
}

extension ResumeCandidate: WireValue {
    package func write(to writer: inout WireWriter) {
        step.write(to: &writer)
        level.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        step = try reader.next()
        level = try reader.next()
    }
}

extension CheckpointLevel: WireValue {
    package func write(to writer: inout WireWriter) { rawValue.write(to: &writer) }
    package init(from reader: inout WireReader) throws { self = try reader.choice("a checkpoint's level") }
}

extension CheckpointOwner: WireValue {
    package func write(to writer: inout WireWriter) {
        run.write(to: &writer)
        replaced.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        self.init(run: try reader.next(), replaced: try reader.next())
    }
}

extension Manifest.Run: WireValue {
    package func write(to writer: inout WireWriter) {
        id.write(to: &writer)
        directory.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        self.init(id: try reader.next(), directory: try reader.next())
    }
}

extension Manifest.File: WireValue {
    package func write(to writer: inout WireWriter) {
        name.write(to: &writer)
        rank.write(to: &writer)
        size.write(to: &writer)
        sha256.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        self.init(
            name: try reader.next(), rank: try reader.next(), size: try reader.next(), sha256: try reader.next())
    }
}

extension TakenCore: WireValue {
    package func write(to writer: inout WireWriter) {
        core.write(to: &writer)
        share.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws { self.init(core: try reader.next(), share: try reader.next()) }
}

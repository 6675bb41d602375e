import Checkpoints
import Locks

/// Where a rank's writer leaves how far it is, for the rank to tell the others at the next step's boundary.
final class WriterProgress: Sendable {
    private struct State {
        var notes = BoundaryNotes()
        var files: [Manifest.File] = []
    }

    private let state = Lock(State())

    var notes: BoundaryNotes { state.withLock { $0.notes } }

    /// The rank's files of the newest checkpoint.
    var files: [Manifest.File] { state.withLock { $0.files } }

    func wrote(_ step: Int, _ files: [Manifest.File]) {
        state.withLock {
            $0.files = files
            $0.notes[.written] = Double(step)
        }
    }

    func copied(_ step: Int) { state.withLock { $0.notes[.copied] = Double(step) } }

    func failed(_ step: Int) {
        state.withLock {
            $0.files = []
            $0.notes[.failed] = Double(step)
            $0.notes[.written] = Double(step)
        }
    }

    func committed(_ step: Int, well: Bool) {
        state.withLock {
            if well { $0.notes[.kept] = Double(step) }
            $0.notes[.committed] = Double(step)
        }
    }
}

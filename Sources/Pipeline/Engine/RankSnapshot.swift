import Model
import Numerics
import Synchronization

/// A copy of all that a rank's training state is, taken between two steps so that training goes on while the copy is
/// written.
///
/// Unchecked because the compiler can't see the handover: the rank's thread writes it only while it isn't lent
/// (`RankEngine.capture` checks), and whoever reads it has it lent until it gives it back.
package final class RankSnapshot: @unchecked Sendable {
    /// A tensor of float32 in C order.
    package struct Tensor {
        package let name: String
        package let shape: [Int]
        package let values: UnsafePointer<Float>
        package var count: Int { shape.reduce(1, *) }
        package var bytes: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: values, count: count * MemoryLayout<Float>.stride)
        }
    }

    /// What this rank saves of parameters and AdamW's moments.
    package let parameters: [Tensor]
    /// Streams mode: the carried states of this rank's stages.
    package internal(set) var states: [Tensor] = []
    /// Where each of those streams stands, by global number; every rank of a replica knows the same.
    package internal(set) var cursors: [(stream: Int, cursor: StreamCursor)] = []

    /// Where a stage's values, first and second moments go; empty where another replica saves them.
    let stores: [[FloatBuffer]]
    /// How files hold the cursors.
    package let cursorForm: CursorForm
    var stateMemory: FloatBuffer?
    private let isLent = Atomic<Bool>(false)

    init(parameters: [Tensor], stores: [[FloatBuffer]], cursorForm: CursorForm) {
        self.parameters = parameters
        self.cursorForm = cursorForm
        self.stores = stores
    }

    package var byteCount: Int { (parameters + states).reduce(0) { $0 + $1.bytes.count } }

    func lend() { isLent.store(true, ordering: .relaxed) }

    /// The reader is done with it.
    package func giveBack() { isLent.store(false, ordering: .releasing) }

    func checkNotLent() {
        precondition(
            !isLent.load(ordering: .acquiring), "a snapshot is written over only when its reader has given it back")
    }
}

/// What a snapshot cost.
package struct CaptureReport: Sendable {
    package let bytes: Int
    package let seconds: Double
}

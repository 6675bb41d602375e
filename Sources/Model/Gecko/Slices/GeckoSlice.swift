import Hardware
import Kernels
import Numerics

/// The plan of the slice under way, as a Gecko's blocks share it.
package final class GeckoSlice: SharedSlice {
    package private(set) var plan: SlicePlan
    /// The token that begins a document; nil: documents aren't told apart.
    private let mark: Int32?

    package init(_ plan: SlicePlan, mark: Int32? = nil) {
        self.plan = plan
        self.mark = mark
    }

    package var start: Int { plan.start }
    package var length: Int { plan.length }
    package var exit: StreamCursor { plan.exit }

    package func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>) {
        plan.move(to: cursor, length: length, marks: mark.map { DocumentMarks(tokens, mark: $0) })
    }
}

extension SliceContext {
    package init(
        matrices: any MatrixProducts, kernels: KernelTable = .best, plan: SlicePlan,
        workspace: UnsafeMutablePointer<Float>,
        dropout: DropoutStream? = nil
    ) {
        self.init(
            matrices: matrices, kernels: kernels, slice: GeckoSlice(plan), workspace: workspace, dropout: dropout)
    }

    /// A Gecko's blocks are given a Gecko's slice.
    var plan: SlicePlan {
        guard let slice = slice as? GeckoSlice else {
            preconditionFailure("a Gecko's block is given the slice of another architecture")
        }
        return slice.plan
    }
}

/// One cell of a schedule table: a kind of work for slice `slice` of sequence `sequence` at stage `stage`.
public struct Action: Hashable, Sendable {
    /// What is done.
    public let kind: ActionKind
    private let stageNumber: Int32
    private let sequenceNumber: Int32
    private let sliceNumber: Int32

    /// - Parameters: the stage, and the sequence and slice of the unit; all from 0
    public init(_ kind: ActionKind, stage: Int, sequence: Int, slice: Int) {
        self.kind = kind
        stageNumber = Int32(stage)
        sequenceNumber = Int32(sequence)
        sliceNumber = Int32(slice)
    }

    /// The run of layers that it belongs to, from 0.
    public var stage: Int { Int(stageNumber) }
    /// From 0.
    public var sequence: Int { Int(sequenceNumber) }
    /// Within its sequence, from 0.
    public var slice: Int { Int(sliceNumber) }

    /// The same unit at the same stage under another kind.
    public func with(_ kind: ActionKind) -> Action {
        Action(kind, stage: stage, sequence: sequence, slice: slice)
    }
}

extension Action: CustomStringConvertible {
    /// `F2:0.3` is the forward at stage 2 of sequence 0, slice 3.
    public var description: String { "\(kind.code)\(stage):\(sequence).\(slice)" }
}

/// What every rank tells every other at a step's boundary: a few numbers that travel with the gradient norms, so that
/// all ranks take the same decisions at the same step. A new thing to agree on is a new case.
struct BoundaryNotes: Sendable {
    enum Note: Int, CaseIterable {
        /// The newest step whose checkpoint this rank's writer is done with, well or not; `failed`: the newest that it
        /// could not write.
        case written
        case failed
        /// The newest step for which this rank has written its copies of other nodes' files, well or not.
        case copied
        /// The newest step whose checkpoint this rank has done its part to commit, well or not; `kept`: the newest
        /// where that went well.
        case committed
        case kept
        /// The number of the reason (`StopReason`) for which this rank was asked to save and stop; 0: none.
        case stop
        /// 1: this rank could not read the next step's batch.
        case batch
        /// World rank 0's verdict on the text.
        case text
        /// The core of this rank's process that other programs use most; the share that they have of it lastingly, at
        /// least and at most, and since training began.
        case takenCore
        case takenAtLeast
        case takenAtMost
        case takenInAll
    }

    private(set) var values = [Double](repeating: 0, count: Note.allCases.count)

    subscript(_ note: Note) -> Double {
        get { values[note.rawValue] }
        set { values[note.rawValue] = newValue }
    }

    init() {}

    init(_ values: [Double]) {
        precondition(values.count == Note.allCases.count, "every rank tells each note")
        self.values = values
    }
}

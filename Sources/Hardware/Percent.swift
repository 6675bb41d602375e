/// A share as people read it where its tenths say nothing.
package enum Percent {
    /// "12 %" of a share 0 ... 1.
    package static func whole(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}

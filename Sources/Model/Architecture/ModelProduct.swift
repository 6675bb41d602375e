/// A matrix product of a model as it is computed for a slice: C [rows, columns] = A [rows, depth] B [depth, columns].
package struct ModelProduct: Sendable {
    package enum Direction: String, Sendable {
        case forward
        case inputGradient = "input gradient"
        case weightGradient = "weight gradient"
    }

    /// The weights that it multiplies by, or what it computes.
    package let name: String
    package let direction: Direction
    package let rows, columns, depth: Int
    package let leftIsTransposed, rightIsTransposed: Bool
    package var adds = false
    /// B is a weight, which is prepared once a step.
    package var isPrepared = false
    /// How often a layer computes it for a slice.
    package var count = 1

    package var flops: Double { 2 * Double(rows) * Double(columns) * Double(depth) }
}

import Kernels

/// The number format of a matrix product's factors. Sums, and everything that isn't a matrix product, are float32 in
/// both.
package enum Precision: String, Sendable, CaseIterable {
    case f32
    case bf16

    /// The tile that computes such products, nil where this CPU can't.
    package func tile(_ kernels: KernelTable = .best) -> MatrixTile? {
        switch self {
        case .f32: kernels.tile
        case .bf16: kernels.bfloat16Tile
        }
    }

    /// Whether this CPU has the instructions.
    package var isSupported: Bool { tile() != nil }
}

/// A part of a buffer, cut into pieces of one size; the last may be shorter.
struct PartPieces {
    private let floats: UnsafeMutableBufferPointer<Float>
    let pieceSize: Int
    let count: Int

    init(_ floats: UnsafeMutableBufferPointer<Float>, piece: Int) {
        self.floats = floats
        pieceSize = piece
        count = (floats.count + piece - 1) / piece
    }

    subscript(piece: Int) -> UnsafeMutableBufferPointer<Float> {
        let from = piece * pieceSize
        return UnsafeMutableBufferPointer(rebasing: floats[from..<min(from + pieceSize, floats.count)])
    }
}

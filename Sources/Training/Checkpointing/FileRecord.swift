import Checkpoints

/// A rank's files as numbers for an exchange among ranks: kind, size, and the digest in eight parts of 32 bits, which a
/// double holds exactly.
enum FileRecord {
    private static let length = 10

    static func numbers(_ files: [Manifest.File]) -> [Double] {
        // Every rank brings equally many numbers: records for both kinds of file, empty ones marked by kind 0.
        let records = files.map { file in
            let parts = stride(from: 0, to: 64, by: 8).map { i in
                let from = file.sha256.index(file.sha256.startIndex, offsetBy: i)
                return Double(UInt32(file.sha256[from...].prefix(8), radix: 16) ?? 0)
            }
            return [file.name.hasPrefix("rank-") ? 1.0 : 2.0, Double(file.size)] + parts
        }
        let all = records.flatMap { $0 }
        return all + [Double](repeating: 0, count: 2 * length - all.count)
    }

    static func files(_ numbers: [Double], rank: Int) -> [Manifest.File] {
        stride(from: 0, to: numbers.count, by: length).compactMap { i in
            let record = numbers[i..<i + length]
            guard record[i] != 0 else { return nil }
            let digest = record.dropFirst(2).map { part in
                let text = String(UInt32(part), radix: 16)
                return String(repeating: "0", count: 8 - text.count) + text
            }
            return Manifest.File(
                name: record[i] == 1 ? PartName.parameters(rank) : PartName.streams(rank), rank: rank,
                size: Int(record[i + 1]), sha256: digest.joined())
        }
    }
}

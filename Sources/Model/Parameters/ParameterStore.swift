import Hardware
import Numerics

/// Flat memory for a stage's parameters, their gradients and AdamW's moments, all in one layout.
package final class ParameterStore {
    /// One tensor's place.
    package struct Entry: Sendable {
        package let spec: ParameterSpec
        package let offset: Int
        package var count: Int { spec.count }
    }

    package let entries: [Entry]
    package let values: FloatBuffer
    package let gradients: FloatBuffer
    package let firstMoments: FloatBuffer
    package let secondMoments: FloatBuffer
    private let index: [String: Int]

    /// Lays the tensors out in the given order; `trains` false leaves out gradients and moments.
    package init(_ specs: [ParameterSpec], trains: Bool = true) {
        var entries: [Entry] = []
        var used = 0
        for spec in specs {
            if !spec.joinsPrevious {
                used = (used + FloatBuffer.alignment - 1) / FloatBuffer.alignment * FloatBuffer.alignment
            }
            entries.append(Entry(spec: spec, offset: used))
            used += spec.count
        }
        self.entries = entries
        values = FloatBuffer(used)
        gradients = FloatBuffer(trains ? used : 0)
        firstMoments = FloatBuffer(trains ? used : 0)
        secondMoments = FloatBuffer(trains ? used : 0)
        index = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.spec.name, $0) })
    }

    package subscript(_ name: String) -> Entry? { index[name].map { entries[$0] } }

    package func value(_ name: String) -> UnsafeMutablePointer<Float>? { self[name].map { values.base + $0.offset } }
    package func gradient(_ name: String) -> UnsafeMutablePointer<Float>? {
        self[name].map { gradients.base + $0.offset }
    }

    /// Writes all memory for the first time, each worker what it will update: on a NUMA machine a page lies near who wrote it first.
    package func touch(_ team: Team) {
        for e in entries {
            let parts = AdamW.parts(e.count, workers: team.count)
            team.forEach(parts) { part in
                let range = AdamW.range(of: part, in: parts, count: e.count)
                for buffer in [values, gradients, firstMoments, secondMoments] where buffer.count > 0 {
                    (buffer.base + e.offset + range.lowerBound).update(repeating: 0, count: range.count)
                }
            }
        }
    }

    /// Writes the first values, each worker those that it will update.
    package func initialize(seed: UInt64, _ team: Team) {
        for e in entries {
            // A copy starts as its original does.
            let name = e.spec.copyOf ?? e.spec.name
            let parts = AdamW.parts(e.count, workers: team.count)
            team.forEach(parts) { part in
                e.spec.initializer.fill(
                    values.base + e.offset, AdamW.range(of: part, in: parts, count: e.count), of: e.count, name: name,
                    seed: seed)
            }
        }
    }
}

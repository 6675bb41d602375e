import Hardware
import Numerics

/// Flat memory for a stage's parameters and their gradients, in one layout, and for AdamW's moments of those tensors
/// that are updated here.
package final class ParameterStore {
    /// One tensor's place.
    package struct Entry: Sendable {
        package let spec: ParameterSpec
        package let offset: Int
        /// Its place in the moments; nil when another replica keeps them, and with them updates the tensor.
        package let momentOffset: Int?
        /// Whether the tensor is updated here.
        package var isUpdated: Bool { momentOffset != nil }
        package var count: Int { spec.count }
    }

    package let entries: [Entry]
    package let values: FloatBuffer
    package let gradients: FloatBuffer
    package let firstMoments: FloatBuffer
    package let secondMoments: FloatBuffer
    private let index: [String: Int]

    /// Lays the tensors out in the given order; `trains` false leaves out gradients and moments.
    /// - Parameter keepsMoments: by tensor, whether its moments are kept here; nil: all are
    package init(_ specs: [ParameterSpec], trains: Bool = true, keepsMoments: [Bool]? = nil) {
        let layout = ParameterLayout(specs, keepsMoments: keepsMoments)
        entries = layout.entries
        values = FloatBuffer(layout.count)
        gradients = FloatBuffer(trains ? layout.count : 0)
        firstMoments = FloatBuffer(trains ? layout.momentCount : 0)
        secondMoments = FloatBuffer(trains ? layout.momentCount : 0)
        index = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.spec.name, $0) })
    }

    package subscript(_ name: String) -> Entry? { index[name].map { entries[$0] } }

    package func value(_ name: String) -> UnsafeMutablePointer<Float>? { self[name].map { values.base + $0.offset } }
    package func gradient(_ name: String) -> UnsafeMutablePointer<Float>? {
        self[name].map { gradients.base + $0.offset }
    }

    /// Where a tensor's moments are; nil when another replica keeps them.
    package func moments(
        _ entry: Entry
    ) -> (first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>)? {
        entry.momentOffset.map { (firstMoments.base + $0, secondMoments.base + $0) }
    }

    /// A tensor as AdamW takes it; nil when another replica updates it.
    package func updated(_ entry: Entry) -> AdamW.Tensor? {
        moments(entry).map {
            AdamW.Tensor(
                values: values.base + entry.offset, gradient: gradients.base + entry.offset, first: $0.first,
                second: $0.second, count: entry.count, decays: entry.spec.decays)
        }
    }

    /// Writes all memory for the first time, each worker what it will update: on a NUMA machine a page lies near who
    /// wrote it first.
    package func touch(_ team: Team) {
        for e in entries {
            let parts = AdamW.parts(e.count, workers: team.count)
            team.forEach(parts, inPlace: true) { part in
                let range = AdamW.range(of: part, in: parts, count: e.count)
                func clear(_ buffer: FloatBuffer, _ offset: Int) {
                    guard buffer.count > 0 else { return }
                    (buffer.base + offset + range.lowerBound).update(repeating: 0, count: range.count)
                }
                clear(values, e.offset)
                clear(gradients, e.offset)
                guard let offset = e.momentOffset else { return }
                clear(firstMoments, offset)
                clear(secondMoments, offset)
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

import Foundation
package struct SafetensorsEntry { package let shape: [Int]; package let dtype: String; let b: Int; let e: Int }
package final class SafetensorsFile {
    let data: Data; package let names: [String]; package let metadata: [String: String]
    let entries: [String: SafetensorsEntry]; let base: Int
    package init(path: String) throws {
        data = try Data(contentsOf: URL(fileURLWithPath: path))
        let n = data.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        let j = try JSONSerialization.jsonObject(with: data.subdata(in: 8..<8 + n)) as! [String: Any]
        base = 8 + n
        metadata = (j["__metadata__"] as? [String: String]) ?? [:]
        var e: [String: SafetensorsEntry] = [:]
        for (k, v) in j where k != "__metadata__" {
            let d = v as! [String: Any]; let o = d["data_offsets"] as! [Int]
            e[k] = SafetensorsEntry(shape: d["shape"] as! [Int], dtype: d["dtype"] as! String, b: o[0], e: o[1])
        }
        entries = e; names = e.keys.sorted()
    }
    package func entry(_ name: String) -> SafetensorsEntry? { entries[name] }
    package func floats(_ name: String) throws -> [Float] { get(name) }
    package func int32s(_ name: String) throws -> [Int32] { get(name) }
    package func bytes(_ name: String) throws -> [UInt8] { get(name) }
    func get<T>(_ name: String) -> [T] {
        let e = entries[name]!
        return data.withUnsafeBytes { p in (0..<(e.e - e.b) / MemoryLayout<T>.size).map { p.loadUnaligned(fromByteOffset: base + e.b + $0 * MemoryLayout<T>.size, as: T.self) } }
    }
}

import Numerics

/// What a case of an operation has computed: gathers rows of the batch and compares them once all are there.
struct GoldenTensors {
    private var tensors: [(name: String, values: [Float])] = []

    mutating func append(_ name: String, _ values: [Float]) {
        if let i = tensors.firstIndex(where: { $0.name == name }) {
            tensors[i].values += values
        } else {
            tensors.append((name, values))
        }
    }

    /// With those that the file has of the case.
    func compare(_ name: String, of file: any GoldenSource, _ report: inout CaseReport) throws {
        for (tensor, values) in tensors where file.has("\(name).\(tensor)") {
            report.compare(
                tensor, values, try file.floats("\(name).\(tensor)"),
                tolerance: tensor.hasPrefix("out") ? Tolerance.output : Tolerance.gradient)
        }
    }
}

extension GoldenSource {
    /// Row `b` of a case's [B, L] flags of documents' first tokens, if there are any.
    func bos(_ name: String, row b: Int, of B: Int, length L: Int) throws -> [Bool]? {
        has("\(name).in.bos") ? try flags("\(name).in.bos", count: B * L).row(b, of: B) : nil
    }
}

/// Memory for a part of a component, for as long as the value lives.
struct GoldenMemory<Part> {
    private let memory: FloatBuffer
    let part: Part

    init(_ make: (inout Carver) -> Part) {
        var counting = Carver(counting: ())
        _ = make(&counting)
        memory = FloatBuffer(counting.used)
        var carver = Carver(memory.base)
        part = make(&carver)
    }
}

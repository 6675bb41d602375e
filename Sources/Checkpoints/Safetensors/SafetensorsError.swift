/// A safetensors file that cannot be read or written: which file, which tensor where one is meant, and why.
package struct SafetensorsError: Error, Equatable, CustomStringConvertible {
    package let file: String
    package let tensor: String?
    package let reason: String

    package init(file: String, tensor: String? = nil, reason: String) {
        self.file = file
        self.tensor = tensor
        self.reason = reason
    }

    package var description: String {
        tensor.map { "\(file): tensor \"\($0)\": \(reason)" } ?? "\(file): \(reason)"
    }
}

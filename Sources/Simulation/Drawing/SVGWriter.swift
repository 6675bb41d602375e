/// Writes the few SVG elements that the drawings need.
public struct SVGWriter {
    private var body: String

    public init(width: Double, height: Double, title: String) {
        body = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width.fixed(0))" height="\(height.fixed(0))" \
            viewBox="0 0 \(width.fixed(0)) \(height.fixed(0))" role="img" \
            font-family="-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif">
            <!-- drawn by gecko -->
            <title>\(Self.escaped(title))</title>

            """
    }

    public var finished: String { body + "</svg>\n" }

    public mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String, stroke: String? = nil,
        radius: Double = 0
    ) {
        body +=
            "<rect x=\"\(x.fixed(1))\" y=\"\(y.fixed(1))\" width=\"\(width.fixed(1))\" height=\"\(height.fixed(1))\""
        if radius > 0 { body += " rx=\"\(radius.fixed(0))\"" }
        body += " fill=\"\(fill)\""
        if let stroke { body += " stroke=\"\(stroke)\"" }
        body += "/>\n"
    }

    public mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, stroke: String, opacity: Double = 1, width: Double = 1
    ) {
        body +=
            "<line x1=\"\(x1.fixed(1))\" y1=\"\(y1.fixed(1))\" x2=\"\(x2.fixed(1))\" y2=\"\(y2.fixed(1))\" "
            + "stroke=\"\(stroke)\" stroke-width=\"\(width.significant)\""
        if opacity < 1 { body += " stroke-opacity=\"\(opacity.significant)\"" }
        body += "/>\n"
    }

    public mutating func path(_ data: String, fill: String) {
        body += "<path d=\"\(data)\" fill=\"\(fill)\"/>\n"
    }

    public mutating func circle(_ x: Double, _ y: Double, _ radius: Double, fill: String, opacity: Double = 1) {
        body += "<circle cx=\"\(x.fixed(1))\" cy=\"\(y.fixed(1))\" r=\"\(radius.fixed(1))\" fill=\"\(fill)\""
        if opacity < 1 { body += " fill-opacity=\"\(opacity.significant)\"" }
        body += "/>\n"
    }

    public mutating func text(
        _ text: String, x: Double, y: Double, size: Double, fill: String = "#24292f", anchor: String = "start",
        weight: String? = nil
    ) {
        body += "<text x=\"\(x.fixed(1))\" y=\"\(y.fixed(1))\" font-size=\"\(size.significant)\" fill=\"\(fill)\""
        if anchor != "start" { body += " text-anchor=\"\(anchor)\"" }
        if let weight { body += " font-weight=\"\(weight)\"" }
        body += ">\(Self.escaped(text))</text>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}

//! An SVG as PNG, at the density of print. Text is drawn with a font that the program brings along: no machine needs to have one.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::sheet::PER_INCH;
use birth_death_charts::draw::Failed;

/// Draws it. The picture is as large as the SVG says, at [`PER_INCH`].
///
/// # Errors
/// For what is no SVG, or without a size.
pub fn png(svg: &str) -> Result<Vec<u8>, Failed> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    let options = Options { dpi: f64::from(PER_INCH) as f32, fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("it has no size")?;
    pixels.fill(resvg::tiny_skia::Color::WHITE);
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    encode(&pixels)
}

/// Without the alpha, which is full everywhere, and with the density, so that it is printed in its size.
fn encode(pixels: &Pixmap) -> Result<Vec<u8>, Failed> {
    const METRES_AN_INCH: f64 = 0.0254;
    let density = (f64::from(PER_INCH) / METRES_AN_INCH).round() as u32;
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_pixel_dims(Some(::png::PixelDimensions { xppu: density, yppu: density, unit: ::png::Unit::Meter }));
    let opaque: Vec<u8> = pixels.data().chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&opaque)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Width, height and the pixels, three bytes each.
    fn decoded(svg: &str) -> (u32, u32, Vec<u8>) {
        let bytes = png(svg).expect("drawn");
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        let dims = reader.info().pixel_dims.expect("a density");
        assert_eq!((dims.xppu, dims.unit), (23622, ::png::Unit::Meter));
        (info.width, info.height, pixels)
    }

    fn svg(content: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"0.5in\" height=\"0.25in\" viewBox=\"0 0 300 150\">{content}</svg>"
        )
    }

    #[test]
    fn size_and_background_are_those_of_print() {
        let (width, height, pixels) =
            decoded(&svg("<rect x=\"0\" y=\"0\" width=\"1\" height=\"1\" fill=\"#004488\"/>"));
        assert_eq!((width, height, pixels.len()), (300, 150, 3 * 300 * 150));
        assert_eq!(pixels[..3], [0x00, 0x44, 0x88]);
        assert!(pixels[3..].iter().all(|&byte| byte == 255));
    }

    #[test]
    fn text_needs_no_font_of_the_machine() {
        let text = |letters: &str| {
            svg(&format!(
                "<text x=\"20\" y=\"100\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"60\">{letters}</text>"
            ))
        };
        let ink = |letters: &str| decoded(&text(letters)).2.iter().filter(|&&byte| byte < 128).count();
        // every letter that is not plain ASCII has a shape of its own, and none is the box of a missing one
        let shapes = ["−", "⁻", "⁴", "·", "±", "α", "ₙ"].map(|letter| decoded(&text(letter)).2);
        let missing = decoded(&text("\u{e123}")).2;
        assert!(shapes.iter().enumerate().all(|(i, shape)| !shapes[..i].contains(shape) && *shape != missing));
        assert!(ink("") == 0 && ink("E") > 300);
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        assert!(png("<svg").is_err());
        assert!(png("").is_err());
    }
}

"""Reports and notices as documents: JSON, Markdown, DOCX."""

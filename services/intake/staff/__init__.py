"""The pages of the staff: server-rendered HTML that works without JavaScript, in Vietnamese and English."""
